// The door `transferkit/optimizers`: optimizers, which update weights from gradients.
export { adagrad } from './training/optimizers/adagrad.ts';
export type { AdagradOptions } from './training/optimizers/adagrad.ts';
export { adam, adamW } from './training/optimizers/adam.ts';
export type { AdamOptions, AdamWOptions } from './training/optimizers/adam.ts';
export { lion } from './training/optimizers/lion.ts';
export type { LionOptions } from './training/optimizers/lion.ts';
export { rmsprop } from './training/optimizers/rmsprop.ts';
export type { RmspropOptions } from './training/optimizers/rmsprop.ts';
export { sgd } from './training/optimizers/sgd.ts';
export type { SgdOptions } from './training/optimizers/sgd.ts';
