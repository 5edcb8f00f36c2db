// Modules that the training verbs load when they are called, so that importing a verb costs little.
export { findCheckpoints } from '../resume/findCheckpoints.ts';
export { settleOptions } from '../options/options.ts';
export { settleRates } from '../options/rates.ts';
export { runSolver } from './runSolver.ts';
export { runTraining } from './runTraining.ts';
export { segmentNow } from './segments.ts';
export { settleRun } from './settleRun.ts';
export { settleSolver } from '../options/solverOption.ts';
export { usualRates } from '../options/usualRates.ts';
