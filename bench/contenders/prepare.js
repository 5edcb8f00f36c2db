// Writes the untrained network as this library saves it, for whoever measures loading, and for ONNX Runtime.
import { join } from 'node:path';
import { exportModel, loadBase, replaceHead, save, useBackend } from 'transferkit';
import { fileSystem } from 'transferkit/node';
import { labelOf, readTask } from './task.js';

await useBackend();
const { arch, size, classes, files } = readTask();
const base = await loadBase(arch, { inputSize: size, weights: null });
const model = replaceHead(base, { labels: Array.from({ length: classes }, (_, i) => labelOf(i, classes)), dropout: 0 });
await save(model, fileSystem(join(files, 'saved')));
await exportModel(model, join(files, 'model.onnx'), { format: 'onnx' });
model.dispose();
