// Before each file that runs on wasm: the backend is started with shared memory, which a process decides once, and cpu
// is what a file begins with that names no backend, whatever the file before it left.
import { useBackend } from '../../src/index.ts';

await useBackend('wasm', { kernels: true, threads: 2 });
await useBackend('cpu');
