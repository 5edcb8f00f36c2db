// The module: one function for each kernel, selected by number. A kernel receives the address of its parameters (32-bit
// words), the number of the task and the number of the thread. The division into tasks never depends on the number of
// threads, so the results do not either. There is no static data and no allocation, because tfjs manages the memory.
import { activate } from './activation';
import { maskGradient } from './activationGradient';
import { filterGradient } from './convFilterGradient';
import { filterGradientSum } from './convFilterSum';
import { copyRuns, padPictures } from './copy';
import { depthwise } from './depthwise';
import { depthwiseFilterSums, depthwiseFilterTotal } from './depthwiseFilter';
import { combine } from './elementwise';
import { bothTrue, choose, compare, numbersOfFlags } from './flags';
import { functionGradient } from './functionGradient';
import { patchProduct } from './gemm';
import { packPanels } from './gemmPack';
import { layerGradient, normalizeLayer } from './layerNorm';
import { largestTaps, maxPoolGradient } from './maxPoolGradient';
import { normalizationFactors, normalizeRows } from './normalize';
import { poolRows } from './pooling';
import { reduceMiddle } from './reduce';
import { softmax, softmaxGradient } from './softmax';
import { transformPictures } from './transform';
import { updateWeights } from './updateWeights';
import { multiplyVector } from './vectorProduct';
import { winogradProduct } from './winograd';
import { transformFilters } from './winogradFilter';
import { winogradGradient, winogradGradientSum } from './winogradGradient';

export { run, runAlone, serve } from './threads';

/** Numbers as in ../kernelNames.ts. */
export function kernel(which: i32, parameters: usize, task: i32, thread: i32): void {
  switch (which) {
    case 0:
      combine(parameters, task);
      break;
    case 1:
      packPanels(parameters, task);
      break;
    case 2:
      patchProduct(parameters, task, thread);
      break;
    case 3:
      reduceMiddle(parameters, task);
      break;
    case 4:
      maskGradient(parameters, task);
      break;
    case 5:
      activate(parameters, task);
      break;
    case 6:
      depthwise(parameters, task);
      break;
    case 7:
      filterGradient(parameters, task, thread);
      break;
    case 8:
      filterGradientSum(parameters, task);
      break;
    case 9:
      compare(parameters, task);
      break;
    case 10:
      bothTrue(parameters, task);
      break;
    case 11:
      choose(parameters, task);
      break;
    case 12:
      numbersOfFlags(parameters, task);
      break;
    case 13:
      copyRuns(parameters, task);
      break;
    case 14:
      padPictures(parameters, task);
      break;
    case 15:
      poolRows(parameters, task);
      break;
    case 16:
      largestTaps(parameters, task);
      break;
    case 17:
      maxPoolGradient(parameters, task);
      break;
    case 18:
      normalizationFactors(parameters);
      break;
    case 19:
      normalizeRows(parameters, task);
      break;
    case 20:
      updateWeights(parameters, task);
      break;
    case 21:
      depthwiseFilterSums(parameters, task);
      break;
    case 22:
      depthwiseFilterTotal(parameters, task);
      break;
    case 23:
      transformPictures(parameters, task);
      break;
    case 24:
      transformFilters(parameters, task, thread);
      break;
    case 25:
      winogradProduct(parameters, task, thread);
      break;
    case 26:
      winogradGradient(parameters, task, thread);
      break;
    case 27:
      winogradGradientSum(parameters, task, thread);
      break;
    case 28:
      functionGradient(parameters, task);
      break;
    case 29:
      normalizeLayer(parameters, task);
      break;
    case 30:
      layerGradient(parameters, task);
      break;
    case 31:
      softmax(parameters, task);
      break;
    case 32:
      softmaxGradient(parameters, task);
      break;
    case 33:
      multiplyVector(parameters, task);
      break;
    default:
      unreachable();
  }
}
