// The package as npm would publish it, installed without a registry.
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
export const repository = fileURLToPath(new URL('../..', import.meta.url));

const everyPackage = ['@tensorflow', '@types', 'cli-progress', 'fflate', 'sharp', 'typescript'];
const readme = readFileSync(join(repository, 'README.md'), 'utf8');
/** What the README tells people to install, and what comes along. */
export const installed = [
  ...(/npm install transferkit (.+)/.exec(readme)?.[1]?.split(' ') ?? []),
  'cli-progress',
  'fflate',
];

/** Builds a copy of the package, so that a test never touches the `dist` that somebody works with. */
export async function packPackage(folder: string): Promise<string> {
  const parts = [
    'src',
    'package.json',
    'tsconfig.json',
    'tsup.config.ts',
    'standalone.config.ts',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'docs',
    'bench/results.svg',
  ];
  for (const part of parts.filter((path) => existsSync(join(repository, path)))) {
    await cp(join(repository, part), join(folder, part), { recursive: true });
  }
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  await execute(process.execPath, [join(repository, 'node_modules/tsup/dist/cli-default.js'), '--silent'], {
    cwd: folder,
  });
  await execute('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: folder });
  const packed = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (packed === undefined) throw new Error('npm pack left no tarball.');
  return join(folder, packed);
}

/** Unpacks it into `node_modules` of a folder, next to links to other packages. */
export async function installPacked(from: string, folder: string, packages = everyPackage): Promise<void> {
  const target = join(folder, 'node_modules/transferkit');
  await mkdir(target, { recursive: true });
  await execute('tar', ['-xzf', from, '--strip-components=1', '-C', target]);
  for (const peer of packages) {
    const link = join(folder, 'node_modules', peer);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(repository, 'node_modules', peer), link);
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
}
