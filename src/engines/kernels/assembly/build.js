// Compiles the kernels with AssemblyScript, once for SIMD and once for relaxed SIMD, and writes both as text into
// ../binaries.ts, so that the package has no file to locate at run time. Resizing, which no backend has to do with, goes to
// ../../../data/preprocess/resizeBinary.ts, and tfjs's own binary, packed, to ../../backends/tfjsBinary.ts. Does nothing while the
// files are those of the present sources.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';

const folder = fileURLToPath(new URL('.', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'transferkit-kernels-'));
const outputs = {
  kernels: '../binaries.ts',
  resize: '../../../data/preprocess/resizeBinary.ts',
  tfjs: '../../backends/tfjsBinary.ts',
};
const tfjs = new URL('../', import.meta.resolve('@tensorflow/tfjs-backend-wasm'));
const sources = `sources ${hashOfSources()}`;

const sharedMemory = ['--sharedMemory', '--maximumMemory', '65536', '--enable', 'threads'];

async function compile(name, entry, options) {
  const { default: asc } = await import('assemblyscript/asc');
  const output = join(scratch, `${name}.wasm`);
  const { error, stderr } = await asc.main([
    ...[join(folder, entry), '--outFile', output, '--runtime', 'stub', '--noAssert'],
    ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge'],
    ...['--importMemory', '--initialMemory', '1', '--enable', 'simd', '--enable', 'bulk-memory', ...options],
  ]);
  if (error) throw new Error(`${stderr.toString()}\n${error.message}`);
  const binary = readFileSync(output);
  assertNoData(binary);
  return `export const ${name} =\n  '${binary.toString('base64')}';\n`;
}

/** tfjs's binary for one thread with SIMD: deflated and in base64 it is as small on its way to a page as the file itself. */
function packTfjs() {
  const { version } = JSON.parse(readFileSync(new URL('package.json', tfjs), 'utf8'));
  const binary = readFileSync(new URL('dist/tfjs-backend-wasm-simd.wasm', tfjs));
  const packed = deflateRawSync(binary, { level: 9 }).toString('base64');
  return [
    `/** Version of @tensorflow/tfjs-backend-wasm that it comes from. */\nexport const version = '${version}';\n`,
    `/** Its bytes when unpacked. */\nexport const size = ${binary.length};\n`,
    `export const packed =\n  '${packed}';\n`,
  ];
}

function write(path, source, parts) {
  const head = `// Made from ${source} by \`npm run kernels\`: WebAssembly in base64. ${sources}\n`;
  writeFileSync(join(folder, path), [head, ...parts].join('\n'));
}

/** Of everything that decides about the binaries: the sources, this program, the compiler. */
function hashOfSources() {
  const names = readdirSync(folder).sort();
  const compiler = readFileSync(new URL('../package.json', import.meta.resolve('assemblyscript/asc')));
  const hash = createHash('sha256')
    .update(compiler)
    .update(readFileSync(new URL('package.json', tfjs)));
  for (const name of names) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

function isUpToDate() {
  return Object.values(outputs).every((path) => {
    const file = join(folder, path);
    return existsSync(file) && readFileSync(file, 'utf8').split('\n', 1)[0].endsWith(sources);
  });
}

/** Data would be written over tfjs's own memory when the module starts. */
function assertNoData(binary) {
  for (let at = 8; at < binary.length;) {
    if (binary[at] === 11) throw new Error('the kernels have static data');
    let size = 0;
    let shift = 0;
    do {
      at++;
      size += (binary[at] & 127) << shift;
      shift += 7;
    } while (binary[at] > 127);
    at += size + 1;
  }
}

try {
  if (!isUpToDate()) {
    const plain = await compile('plain', 'index.ts', sharedMemory);
    const relaxed = await compile('relaxed', 'index.ts', [...sharedMemory, '--enable', 'relaxed-simd']);
    const resize = await compile('resizeBinary', 'resize.ts', []);
    write(outputs.kernels, 'assembly/', [plain, relaxed]);
    write(outputs.resize, 'engines/kernels/assembly/resize.ts', [resize]);
    write(outputs.tfjs, 'tfjs-backend-wasm-simd.wasm of @tensorflow/tfjs-backend-wasm (Apache-2.0)', packTfjs());
  }
} finally {
  rmSync(scratch, { recursive: true });
}
