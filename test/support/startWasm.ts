// Before each file that runs on wasm: the backend is started with shared memory, which a process decides once, and cpu
// is what a file begins with that names no backend, whatever the file before it left; with the engine of the project.
import { useBackend } from '../../src/index.ts';

await useBackend('wasm', { kernels: true, threads: 2 });
await useBackend('cpu', { engine: process.env.TEST_ENGINE === 'onnxruntime' ? 'onnxruntime' : 'own' });
