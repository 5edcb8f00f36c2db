// The backend that the tests of exactness and leaks run on: cpu, or what the test project names (vitest.config.ts), so
// that what they promise is seen with each way of computing, and without it.
import { useBackend } from '../../src/index.ts';

/** Sets it. */
export async function useTestBackend(): Promise<void> {
  const { TEST_BACKEND: name = 'cpu', TEST_KERNELS: kernels = 'true', TEST_THREADS: threads = '2' } = process.env;
  await useBackend(name, { kernels: kernels === 'true', threads: Number(threads) });
}
