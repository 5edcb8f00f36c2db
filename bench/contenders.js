// Who takes part: each is a command that does some works and prints one JSON object.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { architectures } from './architectures.js';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const ours = file('contenders/ours.js');
const prepareOurs = file('contenders/prepare.js');
const tfjs = file('contenders/tfjs.js');

/**
 * Contenders of a run, in the order in which they take turns.
 *
 * `id` names one in the results, `rounds` says in how many rounds it takes part, `archs` and `skip` what it leaves out.
 */
export function contendersOf({ node, rounds, quick }) {
  const list = [
    {
      id: 'ours',
      name: `transferkit, Node ${majorOf(process.version)}`,
      command: [process.execPath, ours],
      prepare: [process.execPath, prepareOurs],
    },
    ...(node === undefined ? [] : [{ ...other(node), command: [node, ours] }]),
    ...engine(),
    ...peer('keras', 'Keras', process.env.BENCH_KERAS_PYTHON, 'peers/on_keras.py'),
    ...peer('torch', 'PyTorch', process.env.BENCH_TORCH_PYTHON, 'peers/on_torch.py'),
    { id: 'tfjs', name: 'tfjs, wasm', command: [process.execPath, tfjs], archs: ['mobilenet_v2'] },
    // One picture, once: training on it takes a minute.
    ...(quick
      ? []
      : [
          {
            id: 'tfjsCpu',
            name: 'tfjs, cpu',
            command: [process.execPath, tfjs],
            environment: { BENCH_TFJS_BACKEND: 'cpu' },
            archs: ['mobilenet_v2'],
            task: { images: 1, repeat: 0 },
            rounds: 1,
            skip: ['start', 'load', 'headCached'],
          },
        ]),
  ];
  return list.map((contender) => ({ rounds, archs: Object.keys(architectures), task: {}, skip: [], ...contender }));
}

function other(node) {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  return { id: 'oursOnOtherNode', name: `transferkit, Node ${majorOf(version)}` };
}

/** With ONNX Runtime for what is frozen, and that by itself: where `npm run test:engine` has installed it. */
function engine() {
  if (!existsSync(file('../.cache/engine/node_modules/onnxruntime-node'))) return [];
  const hooks = ['--import', file('contenders/engineFolder.js')];
  const training = ['start', 'product', 'load', 'loadPreset', 'headCached', 'full'];
  return [
    {
      id: 'oursOnEngine',
      name: 'transferkit, onnxruntime',
      command: [process.execPath, ...hooks, ours],
      task: { engine: 'onnxruntime' },
      skip: training,
    },
    { id: 'onnxruntime', name: 'ONNX Runtime', command: [process.execPath, ...hooks, file('contenders/onnx.js')] },
  ];
}

function peer(id, name, python, script) {
  if (python === undefined) return [];
  const command = [python, file(script)];
  return [{ id, name, command, prepare: [...command, '--prepare'] }];
}

function majorOf(version) {
  return version.replace(/^v(\d+)\..*$/, '$1');
}
