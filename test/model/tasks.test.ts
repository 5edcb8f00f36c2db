// How logits become probabilities and decisions.
import { expect, test } from 'vitest';
import { tasks } from '../../src/model/tasks/tasks.ts';

test('large logits overflow nowhere', () => {
  expect(tasks.classes.outputs(Float32Array.of(1000, -1000))).toEqual([1, 0]);
  expect(tasks.multiLabel.outputs(Float32Array.of(1000, -1000))).toEqual([1, 0]);
});

test('a binary head is decided at logit 0, where the probability is one half', () => {
  expect(tasks.binary.outputs(Float32Array.of(0))).toEqual([0.5, 0.5]);
  expect(tasks.binary.correct(Float32Array.of(0.3), Float32Array.of(1))).toBe(1);
  expect(tasks.binary.correct(Float32Array.of(0.3), Float32Array.of(0))).toBe(0);
});
