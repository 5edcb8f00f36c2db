// The door `transferkit/testing`: conformance suites for custom trunks.
export { checkTrunk } from './testing/checkTrunk.ts';
export type { CheckTrunkOptions } from './testing/checkTrunk.ts';
export type { ConformanceReport } from './testing/conformance.ts';
