// The door for Node: functions that read and write folders.
export { fileSystem } from './platform/node/fileSystem.ts';
export { serveModel } from './serveModel.ts';
export type { AnswerReport } from './serve/answer.ts';
export type { ServeModelOptions } from './serve/serviceOptions.ts';
export type { ModelService } from './serve/startService.ts';
export type { FileSystemHandler } from './platform/node/fileSystem.ts';
export { imageFolder } from './platform/node/imageFolder.ts';
export type { IgnoredFiles } from './platform/node/decodableFiles.ts';
export type { GivenPart, ImageFolder, ImageFolderOptions } from './platform/node/imageFolder.ts';
