// Writes layers that normalise, scale or shift as nodes.
import { clone, div, maximum, mul, neg, reshape, sqrt, tensor, tidy } from '@tensorflow/tfjs-core';
import { isJsonList, type Json } from '../../core/json.ts';
import { constantOf, constantShape, plainConstant } from '../layers/layerConfig.ts';
import { axisOf } from '../run/applyLayer.ts';
import { lateScale } from './lateScale.ts';
import { numberOf, numbers } from '../graphs/inferShapes.ts';
import type { Activation } from '../run/layerActivation.ts';
import { onlyInput, weightOf, type LayerSite, type WriteLayer } from './layerSite.ts';
import { integer, type MakeConstant } from '../graphs/nodeDraft.ts';
import { writeActivation } from './writeActivation.ts';
import { onePixel, writeProduct } from './writeKernel.ts';

/** By the class of the layer. */
export const scalingWriters: Readonly<Record<string, WriteLayer>> = {
  AddConstant: (site) => withConstant(site, 'AddV2', onlyInput(site).x, site.layer.config.value),
  LayerNormalization: writeLayerNorm,
  LayerScale: (site) => withWeight(site, 'Mul', onlyInput(site).x, 'gamma'),
  MultiplyConstant: (site) => withConstant(site, 'Mul', onlyInput(site).x, site.layer.config.value),
  Normalization: writeNormalization,
  PReLU: (site) => withWeight(site, 'Prelu', onlyInput(site).x, 'alpha'),
  Rescaling: (site) => {
    const { scale, offset } = site.layer.config;
    if (constantOf(scale) === undefined || constantOf(offset ?? 0) === undefined) return undefined;
    const scaled = withConstant(site, 'Mul', onlyInput(site).x, scale);
    return scaled && withConstant(site, 'AddV2', scaled, offset ?? 0);
  },
};

/** A BatchNormalization that is not fused with a kernel, and the activation after it. */
export function writeBatchNorm(site: LayerSite, activation: Activation | undefined): string {
  const { x, shape } = onlyInput(site);
  const { channels, compute } = lateScale(site);
  const scale = () => compute().scale;
  const shift = () => tidy(() => compute().shift);
  const axis = axisOf(site.layer, shape.length);
  if (shape.length === 4 && axis === 3) {
    // One pass over the pixels instead of three: a depthwise 1 × 1 convolution.
    const kernel = () => tidy(() => reshape(scale(), [1, 1, channels, 1]));
    const weights = { name: 'scale', kernel, bias: shift, outputs: channels };
    return writeProduct({ scope: site.scope, activation }, 'depthwise', x, weights, onePixel);
  }
  const along = shape.map((_, each) => (each === axis ? channels : 1));
  const y = scaleAndShift(site, x, reshaped(scale, along), reshaped(shift, along));
  return activation === undefined ? y : writeActivation(site.scope, activation, y);
}

/** A BatchNormalization over the last axis with its weights unchanged. */
export function writePlainBatchNorm(site: LayerSite): string | undefined {
  const { x, shape } = onlyInput(site);
  if (axisOf(site.layer, shape.length) !== shape.length - 1) return undefined;
  const { scope, layer } = site;
  const { channels } = lateScale(site);
  const values = (name: string, otherwise: number) => {
    const weight = site.weight(name);
    const make = () => (weight === undefined ? tensor(new Float32Array(channels).fill(otherwise)) : clone(weight));
    return scope.constant(name, make);
  };
  const weights = [values('gamma', 1), values('beta', 0), values('moving_mean', 0), values('moving_variance', 1)];
  return scope.node('FusedBatchNormV3', [x, ...weights], {
    epsilon: { f: numberOf(layer.config.epsilon) ?? 1e-3 },
    is_training: { b: false },
    data_format: { s: btoa('NHWC') },
  });
}

function writeLayerNorm(site: LayerSite): string | undefined {
  const { scope, layer } = site;
  const { x, shape } = onlyInput(site);
  const axes = axesOf(layer.config.axis, shape.length);
  if (axes.length !== 1 || axes[0] !== shape.length - 1) return undefined;
  const mean = (values: string) =>
    scope.node('Mean', [values, scope.integers(axes)], { Tidx: integer, keep_dims: { b: true } });
  const centred = scope.node('Sub', [x, mean(x)]);
  const variance = mean(scope.node('Square', [centred]));
  const epsilon = scope.number(numberOf(layer.config.epsilon) ?? 1e-3);
  const inverse = scope.node('Rsqrt', [scope.node('AddV2', [variance, epsilon])]);
  const scaled = withWeight(site, 'Mul', scope.node('Mul', [centred, inverse]), 'gamma');
  return withWeight(site, 'AddV2', scaled, 'beta');
}

/** `(x - mean) / max(sqrt(variance), 1e-7)`, or its inverse. */
function writeNormalization(site: LayerSite): string | undefined {
  const { x, shape } = onlyInput(site);
  const { axis, mean, variance, invert } = site.layer.config;
  const kept = new Set(axis === null ? [] : axesOf(axis, shape.length));
  const along = shape.map((size, each) => (kept.has(each) ? size : 1)).filter((size) => size !== null);
  if (along.length < shape.length) return undefined;
  const values = (name: string, given: Json | undefined) => () => {
    const constant = constantOf(given);
    const value = constant === undefined ? weightOf(site, name) : tensor(plainConstant(constant), undefined, 'float32');
    return reshape(value, value.size === 1 ? [] : along);
  };
  const centre = values('mean', mean);
  const deviation = () => maximum(sqrt(values('variance', variance)()), 1e-7);
  if (invert === true) return scaleAndShift(site, x, deviation, centre);
  const scale = () => div(1, deviation());
  return scaleAndShift(site, x, scale, () => neg(mul(centre(), scale())));
}

function scaleAndShift({ scope }: LayerSite, x: string, scale: MakeConstant, shift: MakeConstant): string {
  const scaled = scope.node('Mul', [x, scope.constant('scale', () => tidy(scale))]);
  return scope.node('AddV2', [scaled, scope.constant('shift', () => tidy(shift))]);
}

function reshaped(make: MakeConstant, shape: readonly number[]): MakeConstant {
  return () => reshape(make(), [...shape]);
}

/** An operation with a weight of the layer. Returns its input if the layer does not have that weight. */
function withWeight({ scope, weight }: LayerSite, op: string, x: string, name: string): string {
  const value = weight(name);
  return value === undefined ? x : scope.node(op, [x, scope.constant(name, () => clone(value))]);
}

/** An operation with a constant of the configuration. */
function withConstant({ scope }: LayerSite, op: string, x: string, value: Json | undefined): string | undefined {
  const constant = constantOf(value);
  if (constant === undefined) return undefined;
  const make = () => tensor(plainConstant(constant), constantShape(constant), 'float32');
  return scope.node(op, [x, scope.constant('constant', make)]);
}

/** Axes of a configuration, counted from 0. Default: the last one. */
function axesOf(axis: Json | undefined, rank: number): number[] {
  const listed = isJsonList(axis) ? numbers(axis, 1) : [numberOf(axis) ?? -1];
  return listed.map((each) => (each < 0 ? each + rank : each));
}
