// Operations as data: defaults, what they refuse, what presets hold.
import { describe, expect, test } from 'vitest';
import { operations, settleOperation, type ImageOperation } from '../../../src/data/augment/operations.ts';
import { stepsOf } from '../../../src/data/augment/operationSteps.ts';
import { augmentPresets } from '../../../src/data/augment/presetOperations.ts';
import { keysOf } from '../../../src/core/names.ts';
import * as door from '../../../src/augment.ts';
import {
  blur,
  brightness,
  cutout,
  flip,
  grayscale,
  hue,
  randomResizedCrop,
  rotate,
  shift,
  zoom,
} from '../../../src/augment.ts';

describe.each(keysOf(operations))('%s', (name) => {
  const operation = operations[name].make();

  test('is made by the exported function of its name', () => {
    expect(door[name]()).toEqual(operation);
    expect(door[name].name).toBe(name);
  });

  test('is plain data with its name, and passes its own validation', () => {
    expect(operation.name).toBe(name);
    expect(JSON.parse(JSON.stringify(operation))).toEqual(operation);
    expect(settleOperation(operation)?.operation).toEqual(operation);
    const rare = { ...operation, probability: 0.25 };
    expect(settleOperation(rare)?.operation).toEqual(rare);
  });
});

describe('is refused:', () => {
  const number = (from: number, to: number, got: string) => `to be a number from ${from} to ${to}, got ${got}.`;
  const range = (from: number, to: number, got: string) =>
    `to be [least, largest], numbers from ${from} to ${to}, got ${got}.`;

  test.each<[string, object, string]>([
    ['flip', { direction: 'sideways' }, "direction to be 'horizontal' or 'vertical', got \"sideways\"."],
    ['flip', { probability: 1.5 }, `probability ${number(0, 1, '1.5')}`],
    ['shift', { horizontal: -0.1 }, `horizontal ${number(0, 1, '-0.1')}`],
    ['shift', { vertical: 2 }, `vertical ${number(0, 1, '2')}`],
    ['rotate', { degrees: NaN }, `degrees ${number(0, 180, 'NaN')}`],
    ['rotate', { fill: 'wrap' }, "fill to be 'reflect', 'nearest' or a gray from 0 to 1, got \"wrap\"."],
    ['zoom', { range: [1.2, 1.1] }, `range ${range(0.1, 10, '[1.2,1.1]')}`],
    ['zoom', { range: 1.1 }, `range ${range(0.1, 10, '1.1')}`],
    ['shear', { horizontal: 61 }, `horizontal ${number(0, 60, '61')}`],
    ['shear', { vertical: '5' }, `vertical ${number(0, 60, '"5"')}`],
    ['perspective', { amount: 0.6 }, `amount ${number(0, 0.5, '0.6')}`],
    ['randomResizedCrop', { area: [0, 1] }, `area ${range(0.01, 1, '[0,1]')}`],
    ['randomResizedCrop', { aspect: [1] }, `aspect ${range(0.1, 10, '[1]')}`],
    ['brightness', { amount: 1.1 }, `amount ${number(0, 1, '1.1')}`],
    ['contrast', { amount: null }, `amount ${number(0, 1, 'null')}`],
    ['saturation', { amount: -1 }, `amount ${number(0, 1, '-1')}`],
    ['hue', { amount: 0.6 }, `amount ${number(0, 0.5, '0.6')}`],
    ['grayscale', { probability: -1 }, `probability ${number(0, 1, '-1')}`],
    ['blur', { sigma: [0, 1] }, `sigma ${range(0.1, 10, '[0,1]')}`],
    ['noise', { deviation: 2 }, `deviation ${number(0, 1, '2')}`],
    ['cutout', { area: [0.5, 2] }, `area ${range(0.01, 1, '[0.5,2]')}`],
    ['cutout', { aspect: [0, 1] }, `aspect ${range(0.1, 10, '[0,1]')}`],
    ['posterize', { bits: 0 }, 'bits to be a whole number from 1 to 8, got 0.'],
    ['posterize', { bits: 2.5 }, 'bits to be a whole number from 1 to 8, got 2.5.'],
    ['solarize', { threshold: 1.1 }, `threshold ${number(0, 1, '1.1')}`],
    ['sharpness', { amount: -1 }, `amount ${number(0, 1, '-1')}`],
    ['autocontrast', { probability: 2 }, `probability ${number(0, 1, '2')}`],
    ['equalize', { probability: 'x' }, `probability ${number(0, 1, '"x"')}`],
    ['trivial', { fill: 2 }, "fill to be 'reflect', 'nearest' or a gray from 0 to 1, got 2."],
    ['cutout', { fill: 'gray' }, `fill ${number(0, 1, '"gray"')}`],
  ])('%s(%j)', (name, options, text) => {
    const make = door[name as 'flip'];
    expect(() => make(options)).toThrow(`[transferkit] ${name}: expected ${text}`);
    expect(() => make(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }) as Error);
  });
});

const settled = (listed: readonly ImageOperation[]) => listed.flatMap((operation) => settleOperation(operation) ?? []);

describe('presets', () => {
  test.each(keysOf(augmentPresets))('%s', (name) => {
    const listed = augmentPresets[name]();
    expect(settled(listed).map(({ operation }) => operation)).toEqual(listed);
  });

  test('have the documented operations', () => {
    const names = Object.entries(augmentPresets).map(([name, make]) => [name, make().map((each) => each.name)]);
    expect(Object.fromEntries(names)).toEqual({
      none: [],
      light: ['flip', 'shift', 'zoom'],
      standard: ['flip', 'perspective', 'rotate', 'zoom', 'brightness', 'contrast'],
      strong: ['randomResizedCrop', 'flip', 'brightness', 'contrast', 'saturation', 'grayscale', 'cutout'],
      trivial: ['trivial'],
    });
  });
});

describe('steps', () => {
  const kinds = (...listed: ImageOperation[]) =>
    stepsOf(settled(listed)).map((step) => (step.kind === 'pixels' ? 1 : step.changes.length));

  test('consecutive operations of one kind are joined, in order', () => {
    expect(kinds(flip(), shift(), rotate(), brightness(), hue(), cutout(), blur(), grayscale(), zoom())).toEqual([
      3, 2, 1, 1, 1, 1,
    ]);
    expect(stepsOf(settled(augmentPresets.standard())).map(({ kind }) => kind)).toEqual(['geometry', 'colours']);
  });

  test('unless they have different fills', () => {
    expect(
      kinds(flip(), rotate(), randomResizedCrop(), zoom({ fill: 'nearest' }), flip(), shift({ fill: 0.5 })),
    ).toEqual([3, 2, 1]);
  });
});
