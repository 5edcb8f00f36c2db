// The floors of the house (docs/architecture.md), held by reading every import of src. Arrows go down, and sideways
// only where the table below draws them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { isTaskName, taskNames, tasks } from '../src/model/tasks/tasks.ts';
import { doors as doorNames } from './support/doors.ts';

const root = fileURLToPath(new URL('../src', import.meta.url));
const doors = Object.values(doorNames).map((door) => `${door}.ts`);

/** Which rooms each room imports, `core` aside: everything may import that. Exact: a stale arrow fails too. */
const arrows: Record<string, string[]> = {
  bases: [
    '#platform',
    'data/preprocess',
    'download',
    'formats',
    'formats/keras',
    'formats/tfjs',
    'model',
    'model/tasks',
    'networks/cut',
    'networks/graphs',
    'networks/read',
    'networks/trunks',
    'presets',
  ],
  cli: ['cli/commands', 'cli/shell'],
  'cli/commands': ['cli/shell', 'doors'],
  'cli/shell': ['doors'],
  core: [],
  'data/augment': ['data/preprocess', 'model'],
  'data/preprocess': ['#platform', 'model'],
  'data/reading': ['model'],
  'data/samples': [],
  download: [],
  'engines/backends': ['#platform', 'engines/kernels'],
  'engines/kernels': [],
  export: [
    '#platform',
    'data/preprocess',
    'formats/hdf5',
    'formats/keras',
    'formats/tfjs',
    'losses',
    'measure',
    'model',
    'model/tasks',
    'networks/fold',
    'networks/graphs',
    'networks/onnx',
    'networks/read',
    'networks/write',
  ],
  features: ['#platform', 'data/augment', 'data/reading', 'engines/kernels', 'model'],
  formats: ['formats/hdf5'],
  'formats/hdf5': [],
  'formats/keras': ['#platform', 'formats', 'formats/hdf5', 'formats/tfjs', 'model', 'networks/read'],
  'formats/tfjs': ['#platform', 'download', 'formats', 'model', 'model/tasks', 'networks/graphs', 'networks/read'],
  heads: [
    'model',
    'model/tasks',
    'networks/graphs',
    'networks/read',
    'networks/run',
    'networks/trunks',
    'networks/write',
  ],
  losses: ['model', 'model/tasks'],
  measure: ['data/augment', 'data/reading', 'features', 'losses', 'model', 'model/tasks'],
  model: ['model/tasks'],
  'model/tasks': [],
  neighbours: ['data/reading', 'engines/backends', 'features', 'measure', 'model', 'model/tasks'],
  'networks/cut': ['networks/graphs'],
  'networks/engines': [
    '#platform',
    'engines/kernels',
    'networks/cut',
    'networks/graphs',
    'networks/onnx',
    'networks/run',
  ],
  'networks/fold': ['model', 'networks/engines', 'networks/graphs', 'networks/run', 'networks/write'],
  'networks/graphs': [],
  'networks/layers': [],
  'networks/onnx': ['networks/graphs'],
  'networks/read': ['networks/graphs', 'networks/layers', 'networks/run', 'networks/trunks', 'networks/write'],
  'networks/run': ['engines/kernels', 'networks/cut', 'networks/graphs', 'networks/layers'],
  'networks/trunks': ['model', 'networks/cut', 'networks/fold', 'networks/graphs', 'networks/run'],
  'networks/write': ['model', 'model/tasks', 'networks/graphs', 'networks/layers', 'networks/run'],
  'platform/browser': ['data/samples', 'download', 'engines/backends'],
  'platform/node': ['data/samples', 'download', 'engines/backends'],
  presets: ['model', 'networks/graphs'],
  serve: [],
  testing: ['networks/engines', 'networks/write'],
  'training/optimizers': ['engines/kernels'],
  'training/options': ['data/augment', 'features', 'losses', 'model', 'training/optimizers', 'training/schedules'],
  'training/resume': ['#platform', 'training/options', 'training/state'],
  'training/run': [
    'data/reading',
    'engines/backends',
    'features',
    'heads',
    'losses',
    'measure',
    'model',
    'model/tasks',
    'training/optimizers',
    'training/options',
    'training/resume',
    'training/schedules',
    'training/solve',
    'training/state',
  ],
  'training/schedules': [],
  'training/solve': ['engines/kernels', 'features', 'model', 'model/tasks', 'training/options', 'training/state'],
  'training/state': [
    'features',
    'losses',
    'measure',
    'model',
    'training/optimizers',
    'training/options',
    'training/schedules',
  ],
  worker: ['data/samples', 'model', 'model/tasks', 'neighbours'],
};

/** What a worker serves. */
const served = [
  'blend',
  'calibrate',
  'compare',
  'evaluate',
  'exportModel',
  'findLearningRate',
  'fineTune',
  'freeze',
  'knn',
  'load',
  'loadBase',
  'nearestCentroid',
  'predict',
  'previewAugmentation',
  'replaceHead',
  'save',
  'suggestCut',
  'trainHead',
  'tuneThresholds',
  'useBackend',
  'writeBase',
];

/** Which verbs call which: a user could write the same lines. The page's side of a worker takes the types alone. */
const verbArrows: Record<string, string[]> = {
  compare: ['evaluate'],
  connectTransferKit: [...served.filter((verb) => verb !== 'save'), 'serveTransferKit'].sort(),
  exportModel: ['zipBlob'],
  serveModel: ['load', 'predict'],
  serveTransferKit: served,
};

/** Names that exist in a page only. */
const pageNames =
  /^(document|window|navigator|localStorage|indexedDB|caches|Image|ImageData|ImageBitmap|OffscreenCanvas|FileList|FileReader|createImageBitmap|XMLHttpRequest|(HTML|SVG)\w*Element|VideoFrame|CanvasRenderingContext2D)$/;
/** Names that exist in Node only. */
const nodeNames = /^(process|Buffer|require|__dirname|__filename|setImmediate)$/;

/** Rooms beside the platform and the program that only Node runs. */
const nodeRooms = ['serve'];

interface Import {
  /** As written. */
  readonly specifier: string;
  /** Paths below src; both platforms for `#platform`; empty for packages. */
  readonly targets: readonly string[];
}

interface SourceFile {
  /** Path below src. */
  readonly path: string;
  /** The room: the folder below src; '' for doors and verbs. */
  readonly folder: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  // The kernels' sources are AssemblyScript, and import each other only.
  .filter((path) => path.endsWith('.ts') && !path.startsWith('engines/kernels/assembly'))
  .sort()
  .map(readSource);
const verbs = files.filter(({ folder, path }) => folder === '' && !doors.includes(path));
const parts = files.filter(({ folder }) => folder !== '');

describe('floors', () => {
  test('doors are explicit named re-exports and nothing else', () => {
    const code = files
      .filter(({ path }) => doors.includes(path))
      .flatMap(({ path, tree }) =>
        tree.statements.filter((node) => !isNamedReExport(node)).map((node) => at(path, node)),
      );
    expect(code).toEqual([]);
  });

  test('no file imports a door, except those of the program', () => {
    const others = files.filter(({ folder }) => !isProgram(folder));
    expect(importsOf(others, (target) => doors.includes(target))).toEqual([]);
  });

  test('no file imports the program', () => {
    const others = files.filter(({ folder }) => !isProgram(folder));
    expect(importsOf(others, (target) => isProgram(folderOf(target)))).toEqual([]);
  });

  test('parts do not import verbs', () => {
    expect(importsOf(parts, (target) => verbs.some(({ path }) => path === target))).toEqual([]);
  });

  test('a verb has the name of its file, and verbs call only the listed verbs', () => {
    const unnamed = verbs.filter(
      ({ path, text }) =>
        !text.includes(`export async function ${name(path)}`) && !text.includes(`export function ${name(path)}`),
    );
    expect(unnamed.map(({ path }) => path)).toEqual([]);
    expect(
      arrowsBetween(
        verbs,
        (target) => (dirname(target) === '.' ? name(target) : undefined),
        ({ path }) => name(path),
      ),
    ).toEqual(verbArrows);
  });

  test('arrows between rooms are exactly the listed ones', () => {
    const found = arrowsBetween(
      parts,
      (target, { specifier }) => {
        if (specifier === '#platform') return specifier;
        return doors.includes(target) ? 'doors' : folderOf(target);
      },
      ({ folder }) => folder,
    );
    const drawn = Object.fromEntries(Object.entries(arrows).filter(([, to]) => to.length > 0));
    expect(found).toEqual(drawn);
  });

  test('rooms form no circle, including rooms inside a room', () => {
    expect(findCycle(new Map(Object.entries(arrows)))).toEqual([]);
  });

  test('rooms of the first level form no circle', () => {
    const level = new Map<string, string[]>();
    for (const [from, to] of Object.entries(arrows)) {
      const outside = to.filter((room) => room !== '#platform').map(floorOf);
      level.set(floorOf(from), [
        ...(level.get(floorOf(from)) ?? []),
        ...outside.filter((room) => room !== floorOf(from)),
      ]);
    }
    expect(findCycle(level)).toEqual([]);
  });

  test('verbs do not import a platform', () => {
    expect(
      importsOf(
        verbs,
        (target, { specifier }) => specifier !== '#platform' && /^(platform|node|browser|testing)\//.test(target),
      ),
    ).toEqual([]);
  });

  test('rooms are the listed ones, at most two levels deep', () => {
    const rooms = [...new Set(parts.map(({ folder }) => folder))];
    expect(rooms.sort()).toEqual(Object.keys(arrows).sort());
    expect(rooms.filter((room) => room.split('/').length > 2)).toEqual([]);
  });

  test('imports have no cycle', () => {
    expect(
      findCycle(new Map(files.map(({ path, imports }) => [path, imports.flatMap(({ targets }) => targets)]))),
    ).toEqual([]);
  });

  test('every relative import names a file, with its extension', () => {
    const broken = files.flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ specifier, targets }) =>
            specifier.startsWith('.') && !targets.every((target) => existsSync(join(root, target))),
        )
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(broken).toEqual([]);
  });
});

describe('environment', () => {
  test('built-in modules of Node are imported in node/ and rooms for Node only', () => {
    expect(
      specifiersOf(
        files.filter(({ folder }) => !isForNode(folder)),
        /^node:/,
      ),
    ).toEqual([]);
  });

  test('names of pages are used in browser/ only, names of Node in node/ and rooms for Node only', () => {
    const uses = files.flatMap((file) => [
      ...(isOf('browser', file.folder) ? [] : namesUsed(file, pageNames)),
      ...(isForNode(file.folder) ? [] : namesUsed(file, nodeNames)),
    ]);
    expect(uses).toEqual([]);
  });

  test('tfjs is imported by its packages: no files in them, no union package', () => {
    expect(specifiersOf(files, /^@tensorflow\/(tfjs$|[^/]+\/dist)/)).toEqual([]);
  });

  test('only core/random makes random numbers', () => {
    expect(
      files
        .filter(({ text }) => /Math\s*\.\s*random|crypto\s*\.\s*getRandomValues|randomUUID/.test(text))
        .map(({ path }) => path),
    ).toEqual([]);
  });
});

describe('tasks', () => {
  const outside = files.filter(({ folder }) => folder !== 'model/tasks');

  test('the name of each task is its key in the table', () => {
    expect(Object.entries(tasks).map(([row, { name }]) => [row, name])).toEqual(taskNames.map((name) => [name, name]));
  });

  test('no file compares names of tasks: tasks differ in their values only', () => {
    expect(outside.flatMap(({ path, tree }) => comparisonsWithTasks(tree).map((node) => at(path, node)))).toEqual([]);
  });

  test('no other file has a table by task names', () => {
    expect(outside.flatMap(({ path, tree }) => tablesOfTasks(tree).map((node) => at(path, node)))).toEqual([]);
  });

  test('the search finds comparisons and tables', () => {
    const text =
      "if (head.task === 'binary') x(); switch (task) { case 'classes': y(); } type A = T extends 'regression' ? 1 : 2;";
    const tree = ts.createSourceFile(
      'a.ts',
      `${text} const t = { classes: 1, binary: 2 };`,
      ts.ScriptTarget.ES2022,
      true,
    );
    expect(comparisonsWithTasks(tree)).toHaveLength(3);
    expect(tablesOfTasks(tree)).toHaveLength(1);
  });
});

describe('habits', () => {
  test('named exports only: no default, no star', () => {
    const found = files.flatMap(({ path, tree }) =>
      tree.statements.filter((node) => isDefaultExport(node) || isStarExport(node)).map((node) => at(path, node)),
    );
    expect(found).toEqual([]);
  });

  test('no folder for leftovers', () => {
    expect(
      files
        .filter(({ path }) => /(^|\/)(utils?|common|helpers?|misc|shared)(\/|\.ts)/.test(path))
        .map(({ path }) => path),
    ).toEqual([]);
  });

  test('no file over 300 lines', () => {
    expect(files.filter(({ text }) => text.trimEnd().split('\n').length > 300).map(({ path }) => path)).toEqual([]);
  });

  test('the first line of every file is a comment about its purpose', () => {
    expect(files.filter(({ text }) => !/^(#!.*\n)?(\/\/ \S|\/\*\*)/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('no comment disables the compiler or the linter without a reason', () => {
    const silent = files.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, i) => (/@ts-(ignore|nocheck)|eslint-disable(?!.*--)/.test(line) ? [`${path}:${i + 1}`] : [])),
    );
    expect(silent).toEqual([]);
  });
});

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const specifiers: string[] = [];
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      specifiers.push(node.moduleSpecifier.text);
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [from] = node.arguments;
      if (from && ts.isStringLiteral(from)) specifiers.push(from.text);
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      specifiers.push(node.argument.literal.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const imports = specifiers.map((specifier) => ({ specifier, targets: resolve(path, specifier) }));
  return { path, folder: folderOf(path), text, tree, imports };
}

function resolve(from: string, specifier: string): string[] {
  if (specifier === '#platform') return ['platform/node/platform.ts', 'platform/browser/platform.ts'];
  return specifier.startsWith('.') ? [normalize(join(dirname(from), specifier))] : [];
}

/** The room of the first level that a room is, or is in. */
function floorOf(room: string): string {
  return room.split('/')[0] ?? room;
}

/** Whether a room is one of the command line's. */
function isProgram(room: string): boolean {
  return floorOf(room) === 'cli';
}

/** Whether a room runs in Node only. */
function isForNode(room: string): boolean {
  return isOf('node', room) || isProgram(room) || nodeRooms.includes(room);
}

/** Whether a room is the one of an environment. */
function isOf(environment: 'node' | 'browser', room: string): boolean {
  return room.split('/').at(-1) === environment;
}

/** The room of a file: its folder below src; '' for doors and verbs. */
function folderOf(path: string): string {
  return path.includes('/') ? dirname(path) : '';
}

function name(path: string): string {
  return path.replace(/\.ts$/, '');
}

function at(path: string, node: ts.Node): string {
  return `${path}: ${node.getText().split('\n')[0]?.slice(0, 60) ?? ''}`;
}

function isNamedReExport(node: ts.Statement): boolean {
  return (
    ts.isExportDeclaration(node) &&
    node.moduleSpecifier !== undefined &&
    node.exportClause !== undefined &&
    ts.isNamedExports(node.exportClause)
  );
}

function isStarExport(node: ts.Statement): boolean {
  return ts.isExportDeclaration(node) && (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause));
}

function isDefaultExport(node: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return ts.isExportAssignment(node) || modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
}

/** Comparisons with the name of a task: `task === 'binary'`, `case 'binary':`, `T extends 'binary' ? …`. */
function comparisonsWithTasks(tree: ts.SourceFile): ts.Node[] {
  return nodesOf(tree, (node) => {
    if (ts.isBinaryExpression(node))
      return /[=!]==?/.test(node.operatorToken.getText()) && isName(node.left, node.right);
    if (ts.isCaseClause(node)) return isName(node.expression);
    return ts.isConditionalTypeNode(node) && nodesOf(node.extendsType, (part) => isName(part)).length > 0;
  });
}

/** Object literals with the names of two tasks as keys. */
function tablesOfTasks(tree: ts.SourceFile): ts.Node[] {
  return nodesOf(tree, (node) => {
    if (!ts.isObjectLiteralExpression(node)) return false;
    return node.properties.filter(({ name }) => name !== undefined && isTaskName(name.getText())).length > 1;
  });
}

function isName(...nodes: readonly ts.Node[]): boolean {
  return nodes.some((node) => ts.isStringLiteral(node) && isTaskName(node.text));
}

function nodesOf(root: ts.Node, is: (node: ts.Node) => boolean): ts.Node[] {
  const found: ts.Node[] = is(root) ? [root] : [];
  ts.forEachChild(root, (node) => {
    found.push(...nodesOf(node, is));
  });
  return found;
}

function importsOf(from: readonly SourceFile[], wanted: (target: string, declared: Import) => boolean): string[] {
  return from.flatMap(({ path, imports }) =>
    imports
      .filter((declared) => declared.targets.some((target) => wanted(target, declared)))
      .map(({ specifier }) => `${path}: ${specifier}`),
  );
}

function specifiersOf(from: readonly SourceFile[], wanted: RegExp): string[] {
  return from.flatMap(({ path, imports }) =>
    imports.filter(({ specifier }) => wanted.test(specifier)).map(({ specifier }) => `${path}: ${specifier}`),
  );
}

/** From → to, sorted, without arrows to oneself, to core and to what `to` leaves undefined. */
function arrowsBetween(
  from: readonly SourceFile[],
  to: (target: string, declared: Import) => string | undefined,
  nameOf: (file: SourceFile) => string,
): Record<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const file of from) {
    for (const declared of file.imports) {
      for (const target of declared.targets) {
        const end = to(target, declared);
        const start = nameOf(file);
        if (end === undefined || end === start || end === 'core') continue;
        found.set(start, (found.get(start) ?? new Set()).add(end));
      }
    }
  }
  return Object.fromEntries([...found].sort().map(([start, ends]) => [start, [...ends].sort()]));
}

/** Uses of global names: identifiers that are neither members nor declared here. */
function namesUsed({ path, tree }: SourceFile, wanted: RegExp): string[] {
  const uses: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && wanted.test(node.text) && !isMemberOrDeclaration(node))
      uses.push(`${path}: ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return uses;
}

function isMemberOrDeclaration(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  return 'name' in parent && parent.name === node;
}

/** The files of one cycle, or []. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (finished.has(path)) return [];
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    finished.add(path);
    return [];
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
