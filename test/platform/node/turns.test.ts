// Turns: never more than a few at once, in order, and a failure gives its turn on.
import { expect, test } from 'vitest';
import { shares, turns } from '../../../src/core/concurrency.ts';

test('runs at most the given number at once, in order, and continues after failures', async () => {
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

test('shares a limit, in order: a task above the limit runs alone', async () => {
  const share = shares();
  const begun: number[] = [];
  let taken = 0;
  let most = 0;
  const task = (amount: number) => async () => {
    begun.push(amount);
    most = Math.max(most, (taken += amount));
    await new Promise((resolve) => setTimeout(resolve, 1));
    taken -= amount;
    if (amount === 7) throw new Error('seven');
  };
  const amounts = [3, 7, 2, 30, 1, 1, 8, 4, 6];
  const all = await Promise.allSettled(amounts.map((amount) => share(amount, 10, task(amount))));
  expect(begun).toEqual(amounts);
  expect(most).toBe(30); // by itself
  expect(taken).toBe(0);
  expect(all.map(({ status }) => status)).toEqual(amounts.map((each) => (each === 7 ? 'rejected' : 'fulfilled')));
  const other = shares();
  most = 0;
  await Promise.all([3, 4, 5, 6].map((amount) => other(amount, 10, task(amount))));
  expect(most).toBeLessThanOrEqual(10);
});
