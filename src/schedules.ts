// The door `transferkit/schedules`: schedules of the learning rate.
export {
  constant,
  cosine,
  cosineRestarts,
  exponential,
  linear,
  polynomial,
  step,
} from './training/schedules/decays.ts';
export type {
  CosineOptions,
  CosineRestartsOptions,
  ExponentialOptions,
  LinearOptions,
  PolynomialOptions,
  StepOptions,
} from './training/schedules/decays.ts';
export { oneCycle, warmUp } from './training/schedules/oneCycle.ts';
export type { OneCycleOptions, WarmUpOptions } from './training/schedules/oneCycle.ts';
export { plateau } from './training/schedules/plateau.ts';
export type { PlateauOptions } from './training/schedules/plateau.ts';
export type { Span } from './training/schedules/schedule.ts';
