// Every TypeScript block of README, docs and doc comments is compiled and run, and prints what it says it prints.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useBackend } from '../src/index.ts';
import { blocksOfMarkdown, blocksOfSource, matches, programOf } from './documentation/blocks.ts';
import { doors } from './support/doors.ts';
import { given, takePrinted, writeFiles } from './documentation/given.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const exported = Object.fromEntries(Object.entries(doors).map(([specifier, door]) => [specifier, exportsOf(door)]));
// Inside the repository, so that packages resolve.
const folder = join(repository, '.cache/documentation');
const programs = readBlocks().map((block) => {
  const file = join(folder, `${block.place.replace(/\W+/g, '-')}.ts`);
  const given_ = relative(folder, join(repository, 'test/documentation/given.ts'));
  return { ...block, file, ...programOf(block, exported, Object.keys(given), given_) };
});

const entries = Object.values(doors).map((door) => join(repository, 'src', `${door}.ts`));
let program: ts.Program | undefined;

const home = process.cwd();
let workspace = '';

beforeAll(async () => {
  // Documentation takes a base for granted, and with it a backend.
  await useBackend();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { file, text } of programs) writeFileSync(file, text);
  workspace = mkdtempSync(join(tmpdir(), 'transferkit-documentation-'));
  await writeFiles(workspace);
  process.chdir(workspace);
});

afterAll(() => {
  process.chdir(home);
  rmSync(workspace, { recursive: true, force: true });
});

test('the reference has every entry point', () => {
  const { entryPoints } = readJson('typedoc.json') as { readonly entryPoints: readonly string[] };
  expect([...entryPoints].sort()).toEqual(
    Object.values(doors)
      .map((door) => `src/${door}.ts`)
      .sort(),
  );
});

test('there are blocks to check', () => {
  expect(programs.length).toBeGreaterThan(10);
});

test('every block compiles', () => {
  const checked = compiled();
  const errors = programs.flatMap(({ file, place }) =>
    [
      ...checked.getSyntacticDiagnostics(checked.getSourceFile(file)),
      ...checked.getSemanticDiagnostics(checked.getSourceFile(file)),
    ].map(({ messageText }) => `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
  );
  expect(errors).toEqual([]);
});

test.each(programs.filter(({ runs }) => runs))('$place runs', async ({ file, expectations }) => {
  await import(/* @vite-ignore */ file);
  const printed = takePrinted();
  const wrong = expectations.filter(({ line, expected }) => !matches(printed.get(line) ?? '(nothing)', expected));
  expect(wrong.map(({ line, expected }) => ({ expected, printed: printed.get(line) }))).toEqual([]);
});

test('every function and class of the doors has an example', () => {
  const checker = compiled();
  const types = checker.getTypeChecker();
  const bare = entries.flatMap((entry) => {
    const source = checker.getSourceFile(entry);
    const symbol = source && types.getSymbolAtLocation(source);
    const names = symbol ? types.getExportsOfModule(symbol) : [];
    return names
      .map((name) => (name.flags & ts.SymbolFlags.Alias ? types.getAliasedSymbol(name) : name))
      .filter(({ flags }) => flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class))
      .filter((name) => !name.getJsDocTags(types).some((tag) => tag.name === 'example'))
      .map(({ name }) => name);
  });
  expect([...new Set(bare)]).toEqual([]);
});

/** The doors and every block as one program; made once. */
function compiled(): ts.Program {
  const { options } = ts.parseJsonConfigFileContent(readJson('tsconfig.json'), ts.sys, repository);
  const paths = Object.fromEntries(Object.entries(doors).map(([specifier, door]) => [specifier, [`./src/${door}.ts`]]));
  const files = [...entries, ...programs.map(({ file }) => file)];
  return (program ??= ts.createProgram(files, { ...options, paths: { ...options.paths, ...paths } }));
}

function readBlocks(): ReturnType<typeof blocksOfMarkdown> {
  const markdown = ['README.md', ...list('docs', '.md').filter((path) => !path.startsWith('docs/api'))];
  return [
    ...markdown.flatMap((path) => blocksOfMarkdown(path, read(path))),
    ...list('src', '.ts').flatMap((path) => blocksOfSource(path, read(path))),
  ];
}

function list(under: string, extension: string): string[] {
  const paths = readdirSync(join(repository, under), { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => path.endsWith(extension))
    .map((path) => join(under, path))
    .sort();
}

function read(path: string): string {
  try {
    return readFileSync(join(repository, path), 'utf8');
  } catch {
    return '';
  }
}

function readJson(path: string): unknown {
  return ts.readConfigFile(join(repository, path), (file) => ts.sys.readFile(file)).config as unknown;
}

/** Names that a door re-exports, types included. */
function exportsOf(door: string): string[] {
  const tree = ts.createSourceFile(door, read(`src/${door}.ts`), ts.ScriptTarget.ES2022);
  return tree.statements.flatMap((node) =>
    ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause)
      ? node.exportClause.elements.map(({ name }) => name.text)
      : [],
  );
}
