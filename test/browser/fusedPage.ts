// What the browser test of fused layers does inside the page.
import { useBackend } from '../../src/index.ts';
import { chain, chains, differences } from '../support/fusedChains.ts';

declare global {
  interface Window {
    /** Largest difference between layers together and one by one, by chain and by what differs. */
    fused?: (backend: string, names: readonly string[]) => Promise<Record<string, Record<string, number>>>;
  }
}

window.fused = async (backend, names) => {
  await useBackend(backend);
  const found: Record<string, Record<string, number>> = {};
  for (const name of names) {
    const { list, shape = [9, 8, 6] } = chains[name]!;
    found[name] = differences(await chain(list(), shape), shape);
  }
  return found;
};
