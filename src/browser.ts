// The door for browsers: what a page has and Node has not.
export { imageFiles } from './browser/imageFiles.ts';
export type { ImageFilesOptions } from './browser/imageFiles.ts';
