// The self-test's known numbers, made again by definition.
import { expect, test } from 'vitest';
import { selfTestNumbers } from '../../../src/engines/backends/selfTest.ts';
import { eachProduct, type Convolution } from './reference.ts';

test('the stored results are those of plain loops', () => {
  const { input, filter, outputGradient, known } = selfTestNumbers;
  // 'same' with stride 2 on 4 pixels pads one row and one column, at the end.
  const convolution: Convolution = {
    ...{ batch: 1, height: 4, width: 4, channels: 2, filters: 2, kernel: 3, stride: 2, dilation: 1 },
    padding: [0, 1, 0, 1],
    depthwise: false,
  };
  const result = new Float64Array(8);
  const byInput = new Float64Array(32);
  const byFilter = new Float64Array(36);
  eachProduct(convolution, (i, f, o) => {
    result[o]! += input[i]! * filter[f]!;
    byInput[i]! += outputGradient[o]! * filter[f]!;
    byFilter[f]! += input[i]! * outputGradient[o]!;
  });
  expect([...result]).toEqual(known.result);
  expect([...byInput]).toEqual(known['gradient by the input']);
  expect([...byFilter]).toEqual(known['gradient by the filter']);
});
