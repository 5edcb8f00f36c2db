// Installs onnxruntime-node into a folder of its own, where the tests of `npm run test:engine` find it: 290 MB that the
// project's other tests do without. Its install script would fetch files for GPUs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const version = '1.30.0';
const folder = fileURLToPath(new URL('../../.cache/engine/', import.meta.url));
const installed = `${folder}node_modules/onnxruntime-node/package.json`;

if (!existsSync(installed) || JSON.parse(readFileSync(installed, 'utf8')).version !== version) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}package.json`, '{ "private": true }\n');
  const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'];
  execFileSync('npm', ['install', ...options, `onnxruntime-node@${version}`], { stdio: 'inherit' });
}
