// The package as its users get it: built, packed and unpacked beside its peers, without a registry.
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import { build, type BuildOptions } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { rollup } from 'rollup';
import ts from 'typescript';
import { build as buildWithVite } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';
import { doors as doorNames } from './support/doors.ts';
import { installed, installPacked, packPackage, repository } from './support/packed.ts';
import { isThorough } from './support/thorough.ts';

const execute = promisify(execFile);
const doors = Object.values(doorNames);
const sizeLimit = 25 * 1024;

const verbs = ['loadBase', 'replaceHead', 'trainHead', 'fineTune', 'evaluate', 'predict', 'save', 'load', 'useBackend'];

/**
 * Installed, and left out by the bundlers that take long for them: what is tested is how packages are met that are not.
 */
const large = /^@tensorflow\/tfjs-(core|layers|converter|backend-wasm)$/;

/** Each builds `main.js` of a folder, without minifying it. */
const bundlers: Readonly<Record<string, (folder: string, outdir: string) => Promise<unknown>>> = {
  esbuild: (folder, outdir) => {
    const options = { bundle: true, splitting: true, format: 'esm', tsconfigRaw: '{}', logLevel: 'silent' } as const;
    return build({ ...options, entryPoints: [join(folder, 'main.js')], outdir });
  },
  rollup: async (folder, outdir) => {
    const bundle = await rollup({
      input: join(folder, 'main.js'),
      external: large,
      plugins: [nodeResolve({ browser: true }), commonjs()],
      logLevel: 'silent',
    });
    await bundle.write({ dir: outdir });
  },
  'Vite build': (folder, outdir) =>
    buildWithVite({ root: folder, configFile: false, logLevel: 'silent', build: { outDir: outdir, minify: false } }),
  webpack: (folder, outdir) =>
    new Promise((resolve, reject) => {
      const compiler = webpack({
        mode: 'development',
        devtool: false,
        context: folder,
        entry: './main.js',
        output: { path: outdir },
        externals: ({ request }: { request?: string }, done: (failure?: Error, result?: string) => void) => {
          if (large.test(request ?? '')) done(undefined, 'var {}');
          else done();
        },
      });
      compiler.run((failure, stats) => {
        const errors = stats?.compilation.errors ?? [];
        if (failure !== null || errors.length > 0) reject(failure ?? new Error(errors.map(String).join('\n')));
        else resolve(stats);
      });
    }),
};

interface BundleSize {
  readonly bundling: (contents: string, resolveDir: string) => BuildOptions;
  readonly sizeAtStart: (contents: string, resolveDir: string) => Promise<number>;
  readonly peersAtStart: (contents: string, resolveDir: string) => Promise<readonly string[]>;
}
const bundleSize = join(repository, 'bench/bundleSize.js');
const { bundling, peersAtStart, sizeAtStart } = (await import(/* @vite-ignore */ bundleSize)) as BundleSize;

let workspace = '';
/** A project that has installed the package: `node_modules/transferkit` beside links to the peers. */
let consumer = '';
let tarball = '';
let program: ts.Program | undefined;

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'transferkit-package-'));
  tarball = await packPackage(join(workspace, 'source'));
  consumer = join(workspace, 'consumer');
  await installPacked(tarball, consumer);
}, 120_000);

afterAll(() => rm(workspace, { recursive: true, force: true }));

test('contains the listed files and no others', async () => {
  const files = await readdir(join(consumer, 'node_modules/transferkit'), { recursive: true, withFileTypes: true });
  const odd = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(join(consumer, 'node_modules/transferkit/').length))
    .filter(
      (path) =>
        !/^(package\.json|LICENSE|README\.md|CHANGELOG\.md|docs\/[\w-]+\.md|bench\/results\.svg|dist\/LICENSES\.txt|dist\/.+\.(js|js\.map|d\.ts))$/.test(
          path,
        ),
    );
  expect(odd).toEqual([]);
});

test('every link of the README and of the docs to a file leads to one in the package', async () => {
  const root = join(consumer, 'node_modules/transferkit');
  const docs = (await readdir(join(root, 'docs'))).map((name) => join('docs', name));
  const links = ['README.md', ...docs].flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path = '']) =>
      join(dirname(page), path),
    ),
  );
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('nothing runs when it is installed', async () => {
  const manifest = await readFile(join(consumer, 'node_modules/transferkit/package.json'), 'utf8');
  expect(manifest).not.toMatch(/"(pre|post)?(install|prepare)":/);
});

test('the program runs, as npm links it', async () => {
  const root = join(consumer, 'node_modules/transferkit');
  const { bin, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly bin: Readonly<Record<string, string>>;
    readonly version: string;
  };
  const program = join(root, bin.transferkit ?? '');
  expect(await readFile(program, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  await chmod(program, 0o755); // as npm does
  expect((await execute(program, ['--version'])).stdout).toBe(`${version}\n`);
  expect((await execute(program, ['train', '--help'])).stdout).toContain('transferkit train <folder>');
});

test('publint finds nothing', async () => {
  const pkgDir = join(consumer, 'node_modules/transferkit');
  const { messages } = await publint({ pkgDir, strict: true, pack: false });
  const manifest = JSON.parse(await readFile(join(pkgDir, 'package.json'), 'utf8')) as Record<string, unknown>;
  expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
});

test.runIf(isThorough)('the types resolve in all kinds of ESM projects', async () => {
  const attw = join(repository, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const run = execute(process.execPath, [attw, tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color']);
  const problems = await run.then(
    () => '',
    (failed: unknown) => (failed as { stdout: string }).stdout,
  );
  expect(problems).toBe('');
});

test('declarations compile in strict mode', () => {
  const folder = join(consumer, 'node_modules/transferkit');
  // Declarations of the peers are not ours to check.
  const ours = declarations()
    .getSourceFiles()
    .filter(({ fileName }) => fileName.startsWith(folder));
  const found = ours.flatMap((file) => [
    ...declarations().getSyntacticDiagnostics(file),
    ...declarations().getSemanticDiagnostics(file),
  ]);
  expect(ours.length).toBeGreaterThanOrEqual(doors.length);
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
});

test.each(doors)('door %s: the names it exports', async (door) => {
  const values = await valuesOf(door);
  const types = namesOf(door).filter((name) => !values.includes(name));
  const names = [...values, ...types.map((name) => `type ${name}`)];
  await expect(`${names.join('\n')}\n`).toMatchFileSnapshot(`exports/${door}.txt`);
});

test('importing has no effects: an unused import leaves nothing in a bundle', async () => {
  for (const door of doors) {
    const output = await bundle(`import ${specifier(door)};`, { platform: 'node' });
    expect(output.trim(), door).toBe('');
  }
});

test('a bundle for pages contains neither modules of Node nor its packages', async () => {
  for (const door of doors.filter((name) => name !== 'node')) {
    const output = await bundle(`export * from ${specifier(door)};`, { platform: 'browser' });
    expect(output.match(/["'](node:[^"']*|sharp|fs|path)["']/g), door).toBeNull();
  }
});

describe('a page with only the packages of the install command', () => {
  let page = '';

  beforeAll(async () => {
    page = join(workspace, 'page');
    await installPacked(tarball, page, installed);
    const use = `import { ${verbs.join(', ')} } from 'transferkit';\nconsole.log(${verbs.join(', ')});`;
    await writeFile(join(page, 'main.js'), use);
    await writeFile(join(page, 'index.html'), '<script type="module" src="./main.js"></script>');
  });

  const quick = ['esbuild', 'webpack'];
  test.each(isThorough ? Object.keys(bundlers) : quick)('builds with %s', async (name) => {
    await bundlers[name]!(page, join(page, name));
    const files = await readdir(join(page, name), { recursive: true });
    const code = await Promise.all(
      files.filter((file) => file.endsWith('.js')).map((file) => readFile(join(page, name, file), 'utf8')),
    );
    expect(code.length).toBeGreaterThan(1);
    expect(code.join('\n')).toContain('expected features of a fixed size to flatten');
  });
});

test('the builds for pages without a bundler come with licenses, and have the size that docs/browsers.md says', () => {
  const dist = (path: string): string => join(consumer, 'node_modules/transferkit/dist', path);
  const script = readFileSync(dist('transferkit.global.js'));
  const [, size, compressed] = /The file\s+has ([\d.]+) MB, compressed \(gzip\) (\d+) kB/.exec(
    readFileSync(join(repository, 'docs/browsers.md'), 'utf8'),
  )!;
  expect(Math.abs(script.length / 1e6 / Number(size) - 1)).toBeLessThan(0.05);
  expect(Math.abs(gzipSync(script, { level: 9 }).length / 1e3 / Number(compressed) - 1)).toBeLessThan(0.05);
  const licenses = readFileSync(dist('LICENSES.txt'), 'utf8');
  for (const name of ['tfjs-core', 'tfjs-layers', 'tfjs-converter', 'tfjs-backend-wasm', 'seedrandom', 'fflate'])
    expect(licenses).toMatch(new RegExp(`^(@tensorflow/)?${name} \\d`, 'm'));
  expect(licenses).toContain('Apache License\n                           Version 2.0');
  expect(licenses.match(/Permission is hereby granted/g)).toHaveLength(3);
});

test(`the code that fineTune loads immediately stays small`, async () => {
  const length = await sizeAtStart(`export { fineTune } from 'transferkit';`, consumer);
  console.log(`fineTune, minified and gzipped, without peers: ${(length / 1024).toFixed(1)} KiB`);
  expect(length).toBeLessThan(sizeLimit);
});

test('a page whose worker computes loads little at once, and nothing of tfjs', async () => {
  const page = `
    export { connectTransferKit } from 'transferkit/worker';
    export { droppedFiles, imageFiles, webcam } from 'transferkit/browser';`;
  expect(await peersAtStart(page, consumer)).toEqual([]);
  expect(await sizeAtStart(page, consumer)).toBeLessThan(sizeLimit);
});

function specifier(door: string): string {
  return door === 'index' ? `'transferkit'` : `'transferkit/${door}'`;
}

/** Names that a door gives at run time, in plain Node. */
async function valuesOf(door: string): Promise<string[]> {
  const program = `console.log(JSON.stringify(Object.keys(await import(${specifier(door)}))))`;
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', program], { cwd: consumer });
  return (JSON.parse(stdout) as string[]).sort();
}

/** Names that a door's declarations give, of values and types. */
function namesOf(door: string): string[] {
  const source = declarations().getSourceFile(declarationOf(door));
  const symbol = source && declarations().getTypeChecker().getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${door}.d.ts exports nothing.`);
  const exported = declarations().getTypeChecker().getExportsOfModule(symbol);
  return exported.map(({ name }) => name).sort();
}

function declarationOf(door: string): string {
  return join(consumer, 'node_modules/transferkit/dist', `${door}.d.ts`);
}

/** What a strict compiler makes of all doors; made once. */
function declarations(): ts.Program {
  program ??= ts.createProgram(doors.map(declarationOf), {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    noEmit: true,
  });
  return program;
}

async function bundle(contents: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({ ...bundling(contents, consumer), ...options, write: false });
  return outputFiles[0]!.text;
}
