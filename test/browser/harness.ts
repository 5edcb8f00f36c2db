// A page in a real Chromium, with a program bundled from the sources and the files that it asks for.
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { threadSource } from '../../src/engines/kernels/kernelModule.ts';
import { workerCode } from '../../src/platform/browser/threads.ts';

const source = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Debian's place for it, unless another one is named. */
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

const flags = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  // WebGL without a graphics card.
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  // WebGPU without one.
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  // Programs are compiled and run a third faster where they need not cross to a process of their own.
  '--in-process-gpu',
];

/** An open page and its end. */
export interface OpenPage {
  readonly page: Page;
  /** What went wrong in the page so far: uncaught errors and console errors. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/** What a page finds: devices by flags of the browser, and what its user has allowed. */
export interface Surroundings {
  /** Flags beside the usual ones. Pages with the same flags share a browser. */
  readonly flags?: readonly string[];
  readonly permissions?: readonly string[];
  /** Name of the site, which `--host-resolver-rules` must map. Default: an address that counts as safe. */
  readonly host?: string;
  /** A program that the page may start as a worker, `/worker.js`. */
  readonly worker?: string;
  /** Packages that are not installed. */
  readonly missing?: readonly string[];
}

/**
 * Bundles a program as an application's bundler would, serves it, and opens it.
 *
 * @param isolated - Cross-origin isolated: threads may share memory.
 */
export async function openPage(program: string, isolated = false, surroundings: Surroundings = {}): Promise<OpenPage> {
  return openServer(await serveProgram(program, isolated, surroundings), surroundings);
}

/** Serves a page with a program, for a browser that somebody else opens (firefox.ts). */
export async function serveProgram(
  program: string,
  isolated: boolean,
  { worker, missing = [] }: Surroundings = {},
): Promise<Server> {
  const bundled = (path: string) => (bundles[[path, ...missing].join()] ??= bundle(path, missing));
  const scripts = {
    '/page.js': await bundled(program),
    ...(worker !== undefined && { '/worker.js': await bundled(worker) }),
  };
  return serve((path, response) => answer(path, scripts, response), isolated ? isolation : {});
}

/** The address at which a server is reached. */
export function addressOf(server: Server, host = '127.0.0.1'): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host}:${String(port)}/`;
}

/**
 * Serves a folder with an `index.html` as it is, and opens it.
 *
 * @param policy - The content security policy, if any.
 */
export async function openFolder(folder: string, isolated = false, policy?: string): Promise<OpenPage> {
  const headers = { ...(isolated && isolation), ...(policy !== undefined && { 'content-security-policy': policy }) };
  return openServer(await serve((path, response) => answerFile(folder, path, response), headers));
}

async function openServer(server: Server, surroundings: Surroundings = {}): Promise<OpenPage> {
  return openAddress(addressOf(server, surroundings.host), () => server.close(), surroundings);
}

/**
 * Opens what a server of the test's own serves.
 *
 * @param end - Ends the server; called when the page is closed.
 */
export async function openAddress(
  address: string,
  end: () => void,
  { flags: extra = [], permissions = [] }: Surroundings = {},
): Promise<OpenPage> {
  const browser = await launch(end, extra);
  // A context of its own: what it stores is its own, and a test can open a second page of the same site.
  const context = await browser.newContext({ permissions: [...permissions] });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(address);
  return {
    page,
    problems,
    async close() {
      await context.close();
      end();
    },
  };
}

/** By program and missing packages: several pages of a test run the same. */
const bundles: Record<string, Promise<Uint8Array>> = {};

async function bundle(program: string, missing: readonly string[]): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [program],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: [...missing],
    alias: { '#platform': source('src/platform/browser/platform.ts') },
    write: false,
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild wrote nothing.');
  return file.contents;
}

/** What isolates a page from others: its threads may share memory. */
export const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

type Answer = (path: string, response: ServerResponse) => Promise<void>;

async function serve(answer: Answer, headers: Readonly<Record<string, string>>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    void answer(path, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

type Scripts = Readonly<Record<string, Uint8Array>>;

async function answer(path: string, scripts: Scripts, response: ServerResponse): Promise<void> {
  const send = (type: string, body: string | Uint8Array): void => {
    response.writeHead(200, { 'content-type': type }).end(body);
  };
  if (path === '/')
    send('text/html', '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>');
  else if (scripts[path] !== undefined) send('text/javascript', scripts[path]);
  // As the build writes it.
  else if (path === '/thread.js') send('text/javascript', workerCode(threadSource()));
  else response.writeHead(404).end();
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
};

async function answerFile(folder: string, path: string, response: ServerResponse): Promise<void> {
  const file = join(folder, path === '/' ? 'index.html' : path);
  if (path === '/favicon.ico') return void response.writeHead(204).end();
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(bytes);
}

const launched = new Map<string, Promise<Browser>>();

/** A browser of this process, which ends with it: one for all pages with the same flags. */
async function launch(end: () => void, extra: readonly string[]): Promise<Browser> {
  const key = extra.join(' ');
  const browser = launched.get(key) ?? chromium.launch({ executablePath, args: [...flags, ...extra] });
  launched.set(key, browser);
  try {
    return await browser;
  } catch (error) {
    launched.delete(key);
    end();
    throw error;
  }
}
