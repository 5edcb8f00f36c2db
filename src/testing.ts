// The door for those who write their own trunks: conformance suites.
export { checkTrunk } from './testing/checkTrunk.ts';
export type { ConformanceReport } from './testing/conformance.ts';
