// The door for browsers: what a page has and Node has not.
export { imageFiles } from './platform/browser/imageFiles.ts';
export type { ImageFilesOptions } from './platform/browser/imageFiles.ts';
