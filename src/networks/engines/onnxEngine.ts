// ONNX Runtime as an engine: folded parts are written as ONNX models in memory.
import { dispose, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { engineChoice } from '../../core/engineChoice.ts';
import { internalError, TransferKitError } from '../../core/errors.ts';
import type { OnnxRuntime, OnnxSession, OnnxTensor, OnnxValues } from '../../core/onnxRuntime.ts';
import { valuesInPlace } from '../../engines/kernels/valuesInPlace.ts';
import { encodeModel, type OnnxGraph } from '../onnx/onnxModel.ts';
import type { ConstantValues } from '../onnx/onnxDraft.ts';
import { constantValues } from '../onnx/constantValues.ts';
import { writeOnnx } from '../onnx/writeOnnx.ts';
import { dividedPart } from './dividePart.ts';
import type { Engine, FoldedGraph, Program } from './engine.ts';
import { loadOnnxRuntime } from './loadOnnxRuntime.ts';
import { disposedPart, makeProgram } from './ownEngine.ts';
import { inTurn } from './inTurn.ts';

/** The engine. Nodes that ONNX has no form for, and what lies between them, run on this package's own engine. */
export const onnxEngine: Engine = { prepare };

async function prepare(part: FoldedGraph): Promise<Program> {
  try {
    const runtime = await loadOnnxRuntime();
    const constants = await constantValues(part.constants);
    const written = writeOnnx({ ...part, constants });
    return written.graph === undefined
      ? await prepareDivided(runtime, part, constants)
      : await openProgram(runtime, written.graph);
  } finally {
    dispose([...part.constants.values()]);
  }
}

/** Programs for the pieces between nodes that all values pass through. */
async function prepareDivided(
  runtime: OnnxRuntime,
  part: FoldedGraph,
  constants: ReadonlyMap<string, ConstantValues>,
): Promise<Program> {
  const programs: Program[] = [];
  try {
    for (const { piece, refused } of dividedPart(part, constants)) {
      const { graph } = writeOnnx({ ...piece, constants });
      programs.push(graph === undefined ? runOwn(piece, refused) : await openProgram(runtime, graph));
    }
  } catch (error) {
    for (const program of programs) program.dispose();
    throw error;
  }
  return inTurn(programs);
}

/** A piece on this package's own engine. */
function runOwn(piece: FoldedGraph, refused: readonly string[]): Program {
  const constants = new Map([...piece.constants].map(([name, value]) => [name, value.clone()]));
  return { ...makeProgram({ ...piece, constants }), leftToOwn: refused };
}

/** Options of a session. Threads that spin while they wait would take time from those of the backend. */
function sessionOptions() {
  const cores = platform.threads.cores();
  return {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: Math.min(engineChoice().threads ?? cores, cores),
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

async function openProgram({ InferenceSession, Tensor: Fed }: OnnxRuntime, graph: OnnxGraph): Promise<Program> {
  const { name } = graph;
  const [[input], [output]] = [graph.inputs, graph.outputs];
  if (input === undefined || output === undefined) throw internalError(`${name} has no input or no output`);
  const session = await InferenceSession.create(encodeModel({ graph }), sessionOptions()).catch((cause: unknown) => {
    throw engineFailed(name, cause);
  });
  const life = lifeOf(session);
  const inputs = new InputValues();
  const run = async (x: Tensor): Promise<Tensor> => {
    const values = await inputs.take(x);
    const fed = new Fed(typeOf(x), values, x.shape);
    const given = (await session.run({ [input.name]: fed }))[output.name];
    inputs.giveBack(values);
    if (given === undefined) throw internalError(`${name} gave no '${output.name}'`);
    const result = tensorOf(given);
    given.dispose();
    return result;
  };
  return {
    leftToOwn: [],
    run(x) {
      if (life.ended) throw disposedPart(name);
      return life
        .during(() => run(x))
        .catch((cause: unknown) => {
          throw engineFailed(name, cause);
        });
    },
    dispose: () => {
      life.end();
    },
    toString: () => describe(graph),
  };
}

/** The type of an input, as ONNX Runtime names it. */
function typeOf({ dtype }: Tensor): 'float32' | 'int32' | 'bool' {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw internalError(`an input of ${dtype}`);
}

function tensorOf({ data, dims }: OnnxTensor): Tensor {
  if (data instanceof Float32Array) return tensor(data, [...dims], 'float32');
  if (data instanceof Int32Array) return tensor(data, [...dims], 'int32');
  if (data instanceof Uint8Array) return tensor(data, [...dims], 'bool');
  throw internalError('ONNX Runtime gave values of another type than the model has');
}

/**
 * Copies of inputs outside the memory of wasm, which is shared: the package takes no shared memory. An array is used again
 * for the next batch, because fresh memory takes as long as the copy.
 */
class InputValues {
  private spare: Float32Array | undefined;
  private readonly own = new WeakSet<object>();

  async take(x: Tensor): Promise<OnnxValues> {
    const inPlace = valuesInPlace(x);
    if (inPlace === undefined) return x.data<'float32' | 'int32' | 'bool'>();
    const copy = this.spare?.length === inPlace.length ? this.spare : new Float32Array(inPlace.length);
    this.spare = undefined;
    this.own.add(copy);
    copy.set(inPlace);
    return copy;
  }

  giveBack(values: OnnxValues): void {
    if (values instanceof Float32Array && this.own.has(values)) this.spare = values;
  }
}

/** Releases a session after its last run. */
function lifeOf(session: OnnxSession) {
  let running = 0;
  const life = {
    ended: false,
    async during<Result>(work: () => Promise<Result>): Promise<Result> {
      running++;
      try {
        return await work();
      } finally {
        running--;
        release();
      }
    },
    end() {
      if (life.ended) return;
      life.ended = true;
      release();
    },
  };
  const release = () => {
    // Nothing depends on a session that is not used any more, so its error is nobody's.
    if (life.ended && running === 0) session.release().catch(() => undefined);
  };
  return life;
}

function engineFailed(name: string, cause: unknown): TransferKitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const text =
    `expected ONNX Runtime to run '${name}', but it raised: ${reason}. Nothing of the model has changed. ` +
    "Run it on this package's kernels: useBackend(undefined, { engine: 'own' }).";
  return new TransferKitError('ENGINE_FAILED', text, { engine: 'onnxruntime', name, reason }, cause);
}

function describe({ name, nodes, constants }: OnnxGraph): string {
  const bytes = constants.reduce((sum, { bytes: { length } }) => sum + length, 0);
  const rows = nodes.map((node) => `  ${node.name}  ${node.op}`);
  return [`${name} on ONNX Runtime: ${String(nodes.length)} nodes, ${String(bytes)} bytes of constants`, ...rows].join(
    '\n',
  );
}
