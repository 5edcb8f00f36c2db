// How long the import of the main door takes once tfjs is there, and how long tfjs took. Milliseconds, as JSON.
const start = performance.now();
await import('@tensorflow/tfjs-core');
await import('@tensorflow/tfjs-layers');
await import('@tensorflow/tfjs-converter');
const tfjs = performance.now();
await import('transferkit');
const all = performance.now();
console.log(JSON.stringify({ tfjs: tfjs - start, added: all - tfjs }));
