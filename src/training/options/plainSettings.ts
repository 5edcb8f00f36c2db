// The settings of a run as options that can be copied: plain data only.
import type { TrainingLog } from '../../core/logs.ts';
import type { FineTuneOptions } from './fineTuneOptions.ts';

/** Options of a run as plain data: `fineTune(model, samples, log.settings)` repeats it. */
export type FineTuneSettings = Omit<
  FineTuneOptions,
  'checkpoint' | 'resume' | 'signal' | 'onEpoch' | 'onProgress' | 'effort'
>;

/** Options that change nothing of the result, or that others stand for. */
const apart: Readonly<Record<Exclude<keyof FineTuneOptions, keyof FineTuneSettings>, true>> = {
  checkpoint: true,
  resume: true,
  signal: true,
  onEpoch: true,
  onProgress: true,
  effort: true,
};

/** Settings, and sentences about them by their names. */
export interface Described {
  /**
   * All options that can be written as plain data, chosen ones included: `fineTune(model, samples, log.settings)` repeats
   * the run.
   */
  readonly settings: FineTuneSettings;
  /** Why each setting was chosen; also names given options that are not plain data, which `settings` leave out. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** The log of `fineTune`, with its settings and their reasons. */
export interface FineTuneLog extends TrainingLog, Described {
  readonly settings: FineTuneSettings;
  readonly reasons: Readonly<Record<string, string>>;
}

/** A chosen setting; without a reason it is a plain default. */
export interface Chosen {
  readonly value: unknown;
  readonly reason?: string;
}

/**
 * Joins what the user gave and what was chosen. Given values that are not plain data are not among the settings; a
 * reason says so.
 */
export function describeSettings(given: FineTuneOptions, chosen: Readonly<Record<string, Chosen>>): Described {
  const settings: Record<string, unknown> = {};
  const reasons: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || name in apart) continue;
    if (isPlain(value)) settings[name] = copyOf(value);
    else reasons[name] = `${name} was given as a value that is not plain data: give it again beside these settings.`;
  }
  for (const [name, { value, reason }] of Object.entries(chosen)) {
    if (value !== undefined) settings[name] = value;
    if (reason !== undefined)
      reasons[name] = `${name} ${value === undefined ? 'is left out' : `is ${JSON.stringify(value)}`}: ${reason}.`;
  }
  return { settings, reasons };
}

/** Whether the user gave an option. */
export function isGiven(given: FineTuneOptions, name: string): boolean {
  return Object.entries(given).some(([own, value]) => own === name && value !== undefined);
}

/** Whether JSON keeps a value as it is. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return ['string', 'boolean'].includes(typeof value);
  if (value === null) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every((each) => each === undefined || isPlain(each));
}

function copyOf(value: unknown): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  return copy;
}
