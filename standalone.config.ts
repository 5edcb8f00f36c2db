// The build for pages without a bundler: TensorFlow.js, its backends and this package together, minified. One file for a script
// tag, and modules for import maps, which load what is used later when it is used. Made from the built modules.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** What TensorFlow.js exports, for code that makes tensors and layers itself. */
const tfjs = ['core', 'layers', 'converter'].map((part) => `export * from '@tensorflow/tfjs-${part}';`).join('\n');

const options = {
  bundle: true,
  minify: true,
  platform: 'browser',
  target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
  tsconfigRaw: '{}',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
} as const satisfies BuildOptions;

/** Writes `dist/transferkit.global.js`, `dist/esm` and `dist/LICENSES.txt`. */
export async function buildStandalone(doors: readonly string[]): Promise<void> {
  const { name, version, license } = manifestIn('.');
  const banner = {
    js: `/*! ${name} ${version}, ${license}. With TensorFlow.js. Licenses: dist/LICENSES.txt of this package */`,
  };
  rmSync('dist/esm', { recursive: true, force: true });
  const built = await Promise.all([
    build({ ...options, ...script, banner }),
    build({ ...options, ...modules(doors), banner }),
  ]);
  writeFileSync('dist/LICENSES.txt', licenses(built.flatMap(({ metafile }) => metafile ?? [])));
}

const script: BuildOptions = {
  stdin: {
    contents: `export * from './index.js';\nexport * from './browser.js';\nexport * as tf from 'standalone:tfjs';`,
    resolveDir: 'dist',
  },
  outfile: 'dist/transferkit.global.js',
  format: 'iife',
  globalName: 'transferkit',
  define: { 'import.meta.url': 'scriptAddress' },
  inject: ['standalone:address'],
  plugins: [
    texts({
      'standalone:tfjs': tfjs,
      // Files next to the script, such as that of the threads.
      'standalone:address': `export const scriptAddress =
        typeof document === 'undefined' ? location.href : (document.currentScript?.src ?? document.baseURI);`,
      // A file has no parts that load later. webgl does the same work on the same graphics cards.
      '@tensorflow/tfjs-backend-webgpu': `throw new Error('transferkit.global.js has no webgpu; dist/esm has');`,
    }),
  ],
};

function modules(doors: readonly string[]): BuildOptions {
  return {
    entryPoints: {
      ...Object.fromEntries(doors.map((door) => [door === 'index' ? 'transferkit' : door, `dist/${door}.js`])),
      tfjs: 'standalone:tfjs',
    },
    outdir: 'dist/esm',
    format: 'esm',
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    plugins: [texts({ 'standalone:tfjs': tfjs })],
  };
}

/** Modules that are texts of this file. */
function texts(contents: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'texts',
    setup(bundle) {
      bundle.onResolve({ filter: /^(standalone:|@tensorflow)/ }, ({ path }) => {
        return path in contents ? { path, namespace: 'texts', sideEffects: path !== 'standalone:tfjs' } : undefined;
      });
      bundle.onLoad({ filter: /./, namespace: 'texts' }, ({ path }) => ({
        contents: contents[path] ?? '',
        resolveDir: '.',
      }));
    },
  };
}

/** The texts that have to go with the code of the packages in the builds. */
function licenses(metafiles: readonly Metafile[]): string {
  const inputs = metafiles.flatMap(({ outputs }) => Object.values(outputs).map((output) => output.inputs));
  const paths = inputs.flatMap((all) => Object.keys(all).filter((path) => (all[path]?.bytesInOutput ?? 0) > 0));
  const folders = new Set(paths.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const texts = [...folders].sort().flatMap((folder) => {
    if (folder.startsWith('(disabled)')) return [];
    const { name, version, license } = manifestIn(folder);
    return [`${name} ${version}: ${license}`, licenseIn(folder)];
  });
  return `${[
    'transferkit.global.js and the files of esm contain code of these packages.',
    ...texts,
    'Apache-2.0: of this package, and of all packages above that name it',
    readFileSync('LICENSE', 'utf8'),
  ]
    .filter((text) => text !== '')
    .map((text) => text.trim())
    .join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Of packages without a text of their own, and under another license than this package. */
const copyrights: Readonly<Record<string, string>> = {
  '@tensorflow/tfjs-layers':
    'Copyright (c) 2015 - 2018 François Chollet, Google LLC, Microsoft LLC and the respective contributors.',
};

/** The text that a package has in a file or at the end of its README, or that of the license that it names. */
function licenseIn(folder: string): string {
  const { name, license } = manifestIn(folder);
  if (license === 'Apache-2.0') return '';
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8');
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const [, text] = /^licen[cs]e.*\n-+\n([^]*)/im.exec(readme) ?? [];
  if (text !== undefined) return text;
  const [permission] = /permission is hereby granted[^]*/i.exec(licenseIn('node_modules/fflate')) ?? [];
  if (permission === undefined || copyrights[name] === undefined) throw new Error(`${folder} has no license text.`);
  return `${copyrights[name]}\n\n${permission}`;
}
