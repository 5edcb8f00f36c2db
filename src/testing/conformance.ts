// What all conformance suites share: named checks that run one after another, each failure told.
import { reasonOf } from '../core/errors.ts';

/** Outcome of a suite. */
export interface ConformanceReport {
  readonly passed: readonly string[];
  readonly failed: readonly { readonly check: string; readonly reason: string }[];
}

/** A named promise that a plugin must keep; it raises when it is broken. */
export interface Check {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

/** Runs all checks, also those behind a failed one. */
export async function runChecks(checks: readonly Check[]): Promise<ConformanceReport> {
  const passed: string[] = [];
  const failed: { check: string; reason: string }[] = [];
  for (const { name, run } of checks) {
    try {
      await run();
      passed.push(name);
    } catch (error) {
      failed.push({ check: name, reason: reasonOf(error) });
    }
  }
  return { passed, failed };
}

/** Raises when a condition does not hold. */
export function demand(condition: boolean, reason: string): void {
  if (!condition) throw new Error(reason);
}
