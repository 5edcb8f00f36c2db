// Compiles the kernels with AssemblyScript, once for SIMD and once for relaxed SIMD, and writes both as text into
// ../binaries.ts, so that the package has no file to locate at run time. Resizing, which no backend has to do with, goes to
// ../../../data/preprocess/resizeBinary.ts.
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('.', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'transferkit-kernels-'));

const sharedMemory = ['--sharedMemory', '--maximumMemory', '65536', '--enable', 'threads'];

async function compile(name, entry, options) {
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

function write(path, source, parts) {
  const head = `// Made from ${source} by \`npm run kernels\`: WebAssembly in base64.\n`;
  writeFileSync(join(folder, path), [head, ...parts].join('\n'));
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
  const plain = await compile('plain', 'index.ts', sharedMemory);
  const relaxed = await compile('relaxed', 'index.ts', [...sharedMemory, '--enable', 'relaxed-simd']);
  write('../binaries.ts', 'assembly/', [plain, relaxed]);
  write('../../../data/preprocess/resizeBinary.ts', 'engines/kernels/assembly/resize.ts', [
    await compile('resizeBinary', 'resize.ts', []),
  ]);
} finally {
  rmSync(scratch, { recursive: true });
}
