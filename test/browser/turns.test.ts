// Turns: never more than a few at once, in order, and a failure gives its turn on.
import { expect, test } from 'vitest';
import { turns } from '../../src/browser/turns.ts';

test('runs no more than so many at once, in order, and goes on after failures', async () => {
  const inTurn = turns(3);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const task = (i: number) => async () => {
    begun.push(i);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, i % 4));
    running--;
    if (i % 5 === 0) throw new Error(String(i));
    return i;
  };
  const all = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => inTurn(task(i))));
  expect(begun).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(most).toBe(3);
  expect(all.map(({ status }) => status === 'fulfilled')).toEqual(Array.from({ length: 20 }, (_, i) => i % 5 !== 0));
  expect(await inTurn(task(21))).toBe(21);
});
