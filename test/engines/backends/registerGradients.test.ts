// Gradients that tfjs lacks, or computes wrongly: against central differences, on cpu and on wasm with and without
// kernels.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useBackend } from '../../../src/index.ts';
import { expectTrueGradients } from '../../support/gradients.ts';
import { wave } from '../../support/tinyModel.ts';

type Compute = (...inputs: tf.Tensor[]) => tf.Tensor;
type Case = [string, Compute, number[][]];

const four = (x: tf.Tensor) => x as tf.Tensor4D;

const convolutions: Case[] = (
  [
    'same',
    'valid',
    [
      [0, 0],
      [1, 2],
      [0, 3],
      [0, 0],
    ],
  ] as const
).flatMap((pad): Case[] =>
  ([2, [3, 2], [1, 2]] as (number | [number, number])[]).flatMap((rate): Case[] => {
    const padding = pad as 'same' | 'valid';
    const what = `dilation ${String(rate)}, ${typeof pad === 'string' ? pad : 'explicit'}`;
    return [
      [
        `conv2d, ${what}`,
        (x, w) => tf.conv2d(four(x), four(w), 1, padding, 'NHWC', rate),
        [
          [2, 9, 8, 2],
          [3, 2, 2, 3],
        ],
      ],
      [
        `depthwiseConv2d, ${what}`,
        (x, w) => tf.depthwiseConv2d(four(x), four(w), 1, padding, 'NHWC', rate),
        [
          [2, 9, 8, 2],
          [3, 2, 2, 2],
        ],
      ],
    ];
  }),
);

const slices: Case[] = (
  [
    ['begin, end and strides', (x) => tf.stridedSlice(x, [0, 1, 5], [2, 6, 0], [1, 2, -2])],
    ['masks', (x) => tf.stridedSlice(x, [1, 1, 0], [2, 5, 2], [1, 1, 1], 1, 4)],
    ['one entry of an axis', (x) => tf.stridedSlice(x, [0, -1, 0], [0, 0, 0], [1, 1, 1], 5, 5, 0, 0, 2)],
    ['an ellipsis and a new axis', (x) => tf.stridedSlice(x, [0, 0, 3], [0, 0, 6], [1, 1, 2], 0, 0, 1, 2)],
  ] as [string, Compute][]
).map(([name, compute]) => [`stridedSlice by ${name}`, compute, [[2, 7, 6]]]);

const resizes: Case[] = [
  [5, 7],
  [9, 3],
  [2, 4],
].flatMap(([tall = 1, wide = 1]): Case[] =>
  [
    [false, true],
    [true, false],
    [false, false],
  ].flatMap(([corners, half]): Case[] => {
    const what = `to ${String(tall)} × ${String(wide)}, ${corners ? 'corners aligned' : half ? 'half pixels' : 'plain'}`;
    return [
      [`resizeBilinear ${what}`, (x) => tf.image.resizeBilinear(four(x), [tall, wide], corners, half), [[2, 4, 5, 2]]],
      [
        `resizeNearestNeighbor ${what}`,
        (x) => tf.image.resizeNearestNeighbor(four(x), [tall, wide], corners, half),
        [[2, 4, 5, 2]],
      ],
    ];
  }),
);

const einsums: Case[] = (
  [
    ['ij,jk->ik', [[3, 4], [4, 2]]], // prettier-ignore
    ['abc,cde->abde', [[2, 3, 4], [4, 2, 3]]], // prettier-ignore
    ['aecd,abcd->acbe', [[2, 3, 2, 4], [2, 5, 2, 4]]], // prettier-ignore
    ['acbe,aecd->abcd', [[2, 2, 3, 4], [2, 4, 2, 5]]], // prettier-ignore
    ['abcd,cde->abe', [[2, 3, 2, 4], [2, 4, 3]]], // prettier-ignore
    ['ij,k->ik', [[3, 4], [2]]], // prettier-ignore
    ['ij->ji', [[3, 4]]],
    ['ij,ij,jk->k', [[3, 4], [3, 4], [4, 2]]], // prettier-ignore
  ] satisfies [string, number[][]][]
).map(([equation, shapes]) => [`einsum ${equation}`, (...inputs) => tf.einsum(equation, ...inputs), shapes]);

const pairs: Case[] = (
  [
    ['squaredDifference', tf.squaredDifference],
    ['maximum', tf.maximum],
    ['minimum', tf.minimum],
  ] as [string, Compute][]
).flatMap(([name, compute]): Case[] => [
  [`${name} of one shape`, compute, [[3, 4], [3, 4]]], // prettier-ignore
  [`${name} of a smaller second`, compute, [[3, 2, 4], [2, 1]]], // prettier-ignore
  [`${name} of a smaller first`, compute, [[4], [3, 4]]], // prettier-ignore
]);

const five = (x: tf.Tensor) => x as tf.Tensor5D;
const below = (x: tf.Tensor) => tf.sub(x, 2); // Windows without a positive value.

const windows: Case[] = [
  ['maxPool below 0, same', (x) => tf.maxPool(four(below(x)), 3, 2, 'same'), [[2, 5, 6, 2]]],
  ['maxPool below 0, padded', (x) => tf.maxPool(four(below(x)), 3, 2, 1, 'floor'), [[2, 5, 6, 2]]],
  ['maxPool3d below 0, same', (x) => tf.maxPool3d(five(below(x)), 2, 2, 'same'), [[1, 3, 5, 4, 2]]],
  ['maxPool3d below 0, overlapping', (x) => tf.maxPool3d(five(below(x)), 2, 1, 'valid'), [[1, 3, 4, 4, 2]]],
  ...([1, 2, [1, 2, 3]] as const).flatMap((strides): Case[] =>
    (['same', 'valid'] as const).map((pad): Case => [
      `conv3d, strides ${String(strides)}, ${pad}`,
      (x, w) => tf.conv3d(five(x), five(w), strides as number, pad),
      [[2, 4, 5, 4, 3], [2, 3, 1, 3, 2]], // prettier-ignore
    ]),
  ),
];

const axes: Case[] = [
  ['cumsum along the first axis', (x) => tf.cumsum(x, 0, true), [[3, 2, 4]]],
  ['cumsum backward along the second axis', (x) => tf.cumsum(x, 1, false, true), [[3, 2, 4]]],
  ['prod', (x) => tf.prod(x, 1), [[2, 3, 4]]],
  ['prod of several axes', (x) => tf.prod(x, [0, 2]), [[2, 3, 2]]],
  ['matMul of a repeated second', (x, y) => tf.matMul(x, y), [[3, 2, 4], [1, 4, 2]]], // prettier-ignore
  ['matMul of a repeated first', (x, y) => tf.matMul(x, y, true, true), [[4, 2], [3, 5, 4]]], // prettier-ignore
];

const mirrors: Case[] = (['reflect', 'symmetric'] as const).flatMap((mode): Case[] => [
  [`mirrorPad, ${mode}`, (x) => tf.mirrorPad(x, [[0, 0], [1, 2], [0, 3]], mode), [[2, 3, 4]]], // prettier-ignore
  [`mirrorPad of pictures, ${mode}`, (x) => tf.mirrorPad(x, [[0, 0], [2, 1], [1, 0], [0, 0]], mode), [[2, 4, 3, 2]]], // prettier-ignore
]);

const averages: Case[] = [
  ['avgPool, same', (x) => tf.avgPool(four(x), 3, 2, 'same'), [[2, 5, 6, 2]]],
  ['avgPool of unequal sides, same', (x) => tf.avgPool(four(x), [3, 2], 1, 'same'), [[2, 4, 5, 2]]],
  ['avgPool3d, same', (x) => tf.avgPool3d(five(x), 2, 1, 'same'), [[1, 3, 4, 2, 2]]],
];

const others: Case[] = [
  // prettier-ignore
  ['gather by example', (x) => tf.gather(x, tf.tensor2d([[2, 0], [1, 1]], undefined, 'int32'), 1, 1), [[2, 3, 4]]],
  [
    'gather by example along a later axis',
    (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [0, 3],
            [1, 1],
            [2, 0],
          ],
          undefined,
          'int32',
        ),
        2,
        1,
      ),
    [[3, 2, 4, 3]],
  ],
  ['avgPool with explicit pads', (x) => tf.avgPool(four(x), 3, 2, 1, 'floor'), [[2, 5, 6, 2]]],
  ['depthToSpace', (x) => tf.depthToSpace(four(x), 2), [[2, 3, 2, 8]]],
  ['flipLeftRight', (x) => tf.image.flipLeftRight(four(x)), [[2, 3, 4, 2]]],
  // prettier-ignore
  ['gatherND, one place twice', (x) => tf.gatherND(x, tf.tensor2d([[0, 1], [2, 0], [0, 1]], undefined, 'int32')), [[3, 2, 4]]],
  ['scatterND', (x) => tf.scatterND(tf.tensor2d([[4], [1], [4]], undefined, 'int32'), x, [6, 2]), [[3, 2]]],
];

const backends: [string, object][] = [
  ['cpu', {}],
  ['wasm', { kernels: false }],
  ['wasm', { threads: 1 }],
];

describe.each(backends)('on %s, %j', (name, options) => {
  beforeAll(async () => {
    tf.env().set('PROD', true); // The cpu backend's greeting.
    await useBackend(name, options);
  });

  // tfjs's own einsum takes two tensors, and fails on an axis of one of them that is summed alone.
  const sums = einsums.filter(([equation]) => name !== 'cpu' || !/ij,(ij|k)/.test(equation));

  test.each([
    ...convolutions,
    ...slices,
    ...resizes,
    ...sums,
    ...pairs,
    ...windows,
    ...axes,
    ...mirrors,
    ...averages,
    ...others,
  ])('the gradient of %s agrees with central differences', (_, compute, shapes) => {
    const inputs = shapes.map((shape, i) => wave(shape, 0.8, i + 0.3));
    expectTrueGradients(compute, inputs);
    tf.dispose(inputs);
  });
});

test.each(backends)('the largest of negative values in 3D windows, on %s, %j', async (name, options) => {
  await useBackend(name, options);
  const largest = () =>
    tf.tidy(() => tf.maxPool3d(five(below(wave([1, 3, 5, 4, 2], 0.8, 0.3))), 2, 2, 'same').dataSync());
  const values = largest();
  await useBackend('cpu');
  expect(values).toEqual(largest());
});

test('Einstein sums are computed on wasm, and unsupported equations are refused', async () => {
  await useBackend('wasm');
  const [a, b] = [wave([2, 3], 1, 0), wave([3, 4], 1, 1)];
  const left = tf.tidy(
    () => tf.max(tf.abs(tf.sub(tf.einsum('ij,jk->ki', a, b), tf.transpose(tf.matMul(a, b))))).dataSync()[0],
  );
  expect(left).toBeLessThan(1e-6);
  expect(() => tf.einsum('ii,jk->k', a, b)).toThrow(/einsum 'ii,jk->k': term 'ii' does not name the axes/);
  tf.dispose([a, b]);
});
