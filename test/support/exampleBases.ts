// Bases and examples for classifiers that keep examples: vectors that a test knows, and small pictures.
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, expect } from 'vitest';
import {
  knn,
  loadBase,
  type Base,
  type ExampleClassifier,
  type KnnOptions,
  type LabelPrediction,
} from '../../src/index.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { tinyModel } from './tinyModel.ts';
import { tinyLabels, tinyPicture } from './tinyTask.ts';

/** Lets tests open things that are freed behind each of them, and asserts that no tensor is left then. */
export function freeOpened(): <Opened extends { dispose(): void }>(value: Opened) => Opened {
  const opened: { dispose(): void }[] = [];
  let before = 0;
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    for (const each of opened.splice(0).reverse()) each.dispose();
    expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
  });
  return (value) => {
    opened.push(value);
    return value;
  };
}

/** A base on pictures [16, 16, 3]. */
export async function pictureBase(cut = 'relu2'): Promise<Base> {
  const source = tinyModel();
  try {
    return await loadBase(source, { cut });
  } finally {
    source.dispose();
  }
}

/** Pictures of the classes in turn. */
export function pictures(count: number, seed = 1): { readonly label: string; readonly input: Float32Array }[] {
  const random = randomGenerator(seed);
  return Array.from({ length: count }, (_, i) => {
    const label = tinyLabels[i % 3] ?? '';
    return { label, input: tinyPicture(label, random) };
  });
}

/** A base on vectors [width]. */
export async function vectorBase(width: number): Promise<Base> {
  const source = sequential({ name: 'vectors' });
  source.add(layers.activation({ name: 'same', activation: 'linear', inputShape: [width] }));
  try {
    return await loadBase(source, { cut: 'same' });
  } finally {
    source.dispose();
  }
}

/** The values of `wave` in golden/neighbours.py, row by row. */
export function waveRows(rows: number, columns: number, scale: number, phase: number): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const i = row * columns + column;
      return Math.fround(scale * Math.sin(phase + 0.7 * i * i));
    }),
  );
}

/** Features, labels and queries of golden/neighbours.py. */
export function goldenVectors(): { features: number[][]; labels: string[]; queries: number[][] } {
  const directions = waveRows(4, 6, 1, 2.1);
  const pull = (rows: number[][], of: (row: number) => number) =>
    rows.map((row, i) => row.map((value, c) => Math.fround(value + 1.5 * (directions[of(i)]?.[c] ?? 0))));
  const label = (row: number) => (row * 7) % 4;
  return {
    features: pull(waveRows(40, 6, 1.5, 0.4), label),
    labels: Array.from({ length: 40 }, (_, row) => String(label(row))),
    queries: pull(waveRows(25, 6, 1.5, 1.3), (row) => (row * 3) % 4),
  };
}

/** Makes classifiers by neighbours on vectors of some width; they and their bases are freed by `open`'s owner. */
export function vectorClassifiers(
  open: ReturnType<typeof freeOpened>,
): (width: number, options?: KnnOptions) => Promise<ExampleClassifier> {
  return async (width, options) => open(await knn(open(await vectorBase(width)), options));
}

/** Probabilities by label. */
export function sharesOf(prediction: readonly LabelPrediction[]): Record<string, number> {
  return Object.fromEntries(prediction.map(({ label, probability }) => [label, probability]));
}
