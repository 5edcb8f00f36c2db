// The door for browsers: functions that need a page.
export { droppedFiles } from './platform/browser/droppedFiles.ts';
export { imageFiles } from './platform/browser/imageFiles.ts';
export type { ImageFilesOptions } from './platform/browser/imageFiles.ts';
export { keepStorage } from './platform/browser/keepStorage.ts';
export type { StorageReport } from './platform/browser/keepStorage.ts';
export { webcam } from './platform/browser/webcam.ts';
export type { CaptureOptions } from './platform/browser/holdCapture.ts';
export type { Facing } from './platform/browser/cameraStream.ts';
export type { Webcam, WebcamOptions } from './platform/browser/webcam.ts';
export { zipDownload } from './platform/browser/zipDownload.ts';
