// Builds the page (`npm run trainer:build`), or builds and serves it (`npm run trainer`).
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { writeModels } from './models.js';

const configFile = fileURLToPath(new URL('vite.config.ts', import.meta.url));

await writeModels();
await build({ configFile, logLevel: 'warn' });
if (process.argv.includes('--serve')) {
  const server = await preview({ configFile });
  server.printUrls();
}
