// The ways in which a page gets the packed package: bundlers, Vite's development server, an import map and a script tag.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import { build, transform } from 'esbuild';
import { rollup, type Plugin } from 'rollup';
import { build as buildWithVite, createServer } from 'vite';
import webpack from 'webpack';
import { isolation, openAddress, openFolder, type OpenPage } from './harness.ts';

/** How a prepared site is opened. */
export type Open = (isolated: boolean, policy: string | undefined) => Promise<OpenPage>;

/** A way to get the package into a page. */
export interface Site {
  /** Prepares the program `main.js` of a folder, in another folder. */
  readonly prepare: (page: string, folder: string) => Promise<Open>;
  /** Whether the file of the workers is found, without which a strict policy allows no threads. */
  readonly findsWorkers: boolean;
}

/** esbuild's minifier, as a plugin. */
const minifier: Plugin = {
  name: 'minifier',
  renderChunk: async (code) => ({ code: (await transform(code, { minify: true, format: 'esm' })).code, map: null }),
};

/** By the names that docs/browsers.md gives them. */
export const sites: Readonly<Record<string, Site>> = {
  'Vite, development server': { prepare: serveWithVite, findsWorkers: false },
  'Vite, built': built(buildByVite(true), true),
  'Vite, built, not minified': built(buildByVite(false), true),
  'webpack, built': built(buildByWebpack('production'), true),
  'webpack, development mode': built(buildByWebpack('development'), true),
  'esbuild, built': built(buildByEsbuild(true), false),
  'esbuild, built, not minified': built(buildByEsbuild(false), false),
  'rollup, built': built(buildByRollup([minifier]), false),
  'rollup, built, not minified': built(buildByRollup([]), false),
  'no bundler, import map': { prepare: mapImports, findsWorkers: true },
  'no bundler, script tag': { prepare: tagScript, findsWorkers: true },
};

type Build = (page: string, folder: string) => Promise<unknown>;

function built(bundle: Build, findsWorkers: boolean): Site {
  return {
    findsWorkers,
    prepare: async (page, folder) => {
      await writeFile(join(folder, 'index.html'), htmlOf('<script type="module" src="main.js"></script>'));
      await bundle(page, folder);
      return (isolated, policy) => openFolder(folder, isolated, policy);
    },
  };
}

function htmlOf(scripts: string): string {
  return `<!doctype html><title>A page</title>${scripts}`;
}

async function serveWithVite(root: string): Promise<Open> {
  return async (isolated, policy) => {
    const headers = { ...(isolated && isolation), ...(policy !== undefined && { 'content-security-policy': policy }) };
    const server = await createServer({ root, configFile: false, logLevel: 'silent', server: { port: 0, headers } });
    await server.listen();
    return openAddress(server.resolvedUrls?.local[0] ?? '', () => void server.close());
  };
}

function buildByVite(minify: boolean): Build {
  return (root, outDir) =>
    buildWithVite({
      ...{ root, configFile: false, logLevel: 'silent', base: './' },
      build: { outDir, emptyOutDir: true, ...(!minify && { minify }) },
    });
}

function buildByWebpack(mode: 'production' | 'development'): Build {
  return (context, path) =>
    new Promise((resolve, reject) => {
      const settings = { mode, context, entry: './main.js', output: { path }, performance: false } as const;
      // In development webpack packs modules into eval otherwise, which a strict policy forbids.
      webpack({ ...settings, devtool: false }).run((failure, stats) => {
        const errors = stats?.compilation.errors ?? [];
        if (failure !== null || errors.length > 0) reject(failure ?? new Error(errors.map(String).join('\n')));
        else resolve(stats);
      });
    });
}

function buildByEsbuild(minify: boolean): Build {
  return (page, outdir) =>
    build({
      ...{ bundle: true, splitting: true, minify, format: 'esm', tsconfigRaw: '{}', logLevel: 'silent' },
      ...{ entryPoints: [join(page, 'main.js')], outdir },
    });
}

function buildByRollup(more: readonly Plugin[]): Build {
  return async (page, dir) => {
    const plugins = [nodeResolve({ browser: true }), commonjs(), ...more];
    const bundle = await rollup({ input: join(page, 'main.js'), plugins, logLevel: 'silent' });
    await bundle.write({ dir });
  };
}

/** Plain files: the packed package as it is, and the program with its bare names. */
async function mapImports(page: string, folder: string): Promise<Open> {
  const modules = '/node_modules/transferkit/dist/esm';
  const map = JSON.stringify({
    imports: {
      transferkit: `${modules}/transferkit.js`,
      '@tensorflow/tfjs-layers': `${modules}/tfjs.js`,
    },
  });
  await servePackage(page, folder);
  await copyFile(join(page, 'main.js'), join(folder, 'main.js'));
  const html = htmlOf(`<script type="importmap">${map}</script><script type="module" src="main.js"></script>`);
  await writeFile(join(folder, 'index.html'), html);
  // The map stands in the page: a strict policy has to name its hash.
  const hash = `'sha256-${createHash('sha256').update(map).digest('base64')}'`;
  return (isolated, policy) => openFolder(folder, isolated, policy?.replace('script-src', `script-src ${hash}`));
}

/** The program for a script tag lies beside that for bundlers. */
async function tagScript(page: string, folder: string): Promise<Open> {
  await servePackage(page, folder);
  await copyFile(join(page, 'tag.js'), join(folder, 'tag.js'));
  const address = '/node_modules/transferkit/dist/transferkit.global.js';
  await writeFile(
    join(folder, 'index.html'),
    htmlOf(`<script src="${address}"></script><script src="tag.js"></script>`),
  );
  return (isolated, policy) => openFolder(folder, isolated, policy);
}

async function servePackage(page: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(page, 'node_modules/transferkit'), join(folder, 'node_modules/transferkit'));
}
