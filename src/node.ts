// The door for Node: what reads and writes folders.
export { fileSystem } from './node/fileSystem.ts';
export type { FileSystemHandler } from './node/fileSystem.ts';
export { imageFolder } from './node/imageFolder.ts';
export type { IgnoredFiles } from './node/decodableFiles.ts';
export type { GivenPart, ImageFolder, ImageFolderOptions } from './node/imageFolder.ts';
