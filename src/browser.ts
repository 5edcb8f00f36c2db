// The door for browsers: functions that need a page.
export { imageFiles } from './platform/browser/imageFiles.ts';
export type { ImageFilesOptions } from './platform/browser/imageFiles.ts';
