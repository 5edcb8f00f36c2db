// Gradients held against central differences.
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { Trunk } from '../../src/index.ts';
import { wave } from './tinyModel.ts';

/** Values of a tensor, which is freed. */
function take(tensor: tf.Tensor): Float32Array {
  const values = Float32Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}

/** A sum of an output that gives each of its values another weight. */
function blend(y: tf.Tensor): tf.Scalar {
  return tf.sum(tf.mul(y, wave(y.shape, 1, 0.4)));
}

/**
 * Asserts that a gradient is the slope of a function at some places of a tensor.
 *
 * @param gradient - By automatic differentiation.
 * @param slopeAt - The central difference at one place.
 */
function expectSlopes(what: string, gradient: Float32Array, slopeAt: (place: number) => number): void {
  const places = [...new Set([0, 1, 2, 3, 4].map((i) => Math.floor((i * (gradient.length - 1)) / 4)))];
  const slopes = places.map(slopeAt);
  const scale = Math.max(0.05, ...slopes.map(Math.abs));
  places.forEach((place, i) => {
    expect(Math.abs((gradient[place] ?? NaN) - (slopes[i] ?? NaN)) / scale, `${what}[${String(place)}]`).toBeLessThan(
      0.01,
    );
  });
}

function moved(values: Float32Array, place: number, by: number): Float32Array {
  return values.map((value, i) => (i === place ? value + by : value));
}

const step = 4e-3;

/** Asserts that the gradients of a function for all of its inputs are its slopes, and that nothing is left behind. */
export function expectTrueGradients(compute: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]): void {
  const before = tf.memory().numTensors;
  const loss = (...tensors: tf.Tensor[]): tf.Scalar => tf.tidy(() => blend(compute(...tensors)));
  const gradients = tf.grads(loss)(inputs);
  gradients.forEach((gradient, i) => {
    const input = inputs[i]!;
    expect(gradient.shape).toEqual(input.shape);
    const start = Float32Array.from(input.dataSync());
    const at = (values: Float32Array) =>
      tf.tidy(
        () =>
          loss(...inputs.map((each) => (each === input ? tf.tensor(values, input.shape) : each))).dataSync()[0] ?? NaN,
      );
    expectSlopes(
      `input ${String(i)}`,
      take(gradient),
      (place) => (at(moved(start, place, step)) - at(moved(start, place, -step))) / (2 * step),
    );
  });
  expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
}

/** Asserts that the gradients of all weights of a trunk, statistics aside, are the slopes of its output. */
export function expectTrueWeightGradients(trunk: Trunk, input: tf.Tensor): void {
  const before = tf.memory().numTensors;
  const moving = trunk.weights.filter(({ kind }) => kind !== 'statistics');
  if (moving.length === 0) return;
  for (const { variable } of moving) variable.trainable = true;
  const loss = (): tf.Scalar => tf.tidy(() => blend(trunk.run(input)));
  const { value, grads } = tf.variableGrads(
    loss,
    moving.map(({ variable }) => variable),
  );
  value.dispose();
  for (const weight of moving) {
    const { name, shape, variable } = weight;
    const start = Float32Array.from(variable.dataSync());
    const at = (values: Float32Array) => {
      const tensor = tf.tensor(values, [...shape]);
      weight.write(tensor);
      tensor.dispose();
      return tf.tidy(() => loss().dataSync()[0] ?? NaN);
    };
    const gradient = grads[variable.name];
    if (gradient === undefined) throw new Error(`no gradient of ${name}`);
    expectSlopes(
      name,
      take(gradient),
      (place) => (at(moved(start, place, step)) - at(moved(start, place, -step))) / (2 * step),
    );
    at(start);
  }
  expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
}
