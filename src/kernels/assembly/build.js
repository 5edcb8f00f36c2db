// Compiles the kernels with AssemblyScript, once for SIMD and once for relaxed SIMD, and writes both as text into
// ../binaries.ts, so that the package has no file to locate at run time.
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('.', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'transferkit-kernels-'));

async function compile(name, features) {
  const output = join(scratch, `${name}.wasm`);
  const { error, stderr } = await asc.main([
    ...[join(folder, 'index.ts'), '--outFile', output, '--runtime', 'stub', '--noAssert'],
    ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge'],
    ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
    ...['simd', 'threads', 'bulk-memory', ...features].flatMap((feature) => ['--enable', feature]),
  ]);
  if (error) throw new Error(`${stderr.toString()}\n${error.message}`);
  const binary = readFileSync(output);
  assertNoData(binary);
  return `export const ${name} =\n  '${binary.toString('base64')}';\n`;
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
  const parts = [await compile('plain', []), await compile('relaxed', ['relaxed-simd'])];
  const head = '// Made from assembly/ by `npm run kernels`: the kernels as WebAssembly, in base64.\n';
  writeFileSync(join(folder, '..', 'binaries.ts'), [head, ...parts].join('\n'));
} finally {
  rmSync(scratch, { recursive: true });
}
