// Lets this process find onnxruntime-node where `npm run test:engine` installs it. For `node --import`.
import { register } from 'node:module';

const installed = new URL('../../.cache/engine/node_modules/onnxruntime-node/dist/index.js', import.meta.url).href;
const hooks = `export function resolve(specifier, context, next) {
  return specifier === 'onnxruntime-node' ? next(${JSON.stringify(installed)}, context) : next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
