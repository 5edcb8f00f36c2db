// Every code is raised somewhere, and its text is held by a test; an error is known across copies of the package.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test, vi } from 'vitest';
import { nameErrors } from '../src/core/edge.ts';
import { shown } from '../src/core/shown.ts';
import { isTransferKitError, TransferKitError } from '../src/index.ts';

const project = fileURLToPath(new URL('..', import.meta.url));

function filesIn(folder: string): { readonly path: string; readonly text: string }[] {
  return readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path: join(folder, path), text: readFileSync(join(project, folder, path), 'utf8') }));
}

function parse({ path, text }: { readonly path: string; readonly text: string }): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  node.forEachChild((child) => {
    visit(child, see);
  });
}

interface DocumentedCode {
  readonly code: string;
  /** The paragraphs of its documentation: what happened, and what to do. */
  readonly paragraphs: readonly string[];
}

/** The codes of the interface ErrorDetails. */
function documentedCodes(): DocumentedCode[] {
  const text = readFileSync(join(project, 'src/core/errorDetails.ts'), 'utf8');
  const tree = parse({ path: 'errorDetails.ts', text });
  const table = tree.statements.find(
    (node): node is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(node) && node.name.text === 'ErrorDetails',
  );
  return (table?.members ?? []).map((member) => ({
    code: member.name?.getText(tree) ?? '',
    paragraphs: ts
      .getJSDocCommentsAndTags(member)
      .flatMap(({ comment }) => (typeof comment === 'string' ? comment.split('\n\n') : []))
      .map((paragraph) => paragraph.replaceAll('\n', ' ')),
  }));
}

const declaredCodes = (): string[] => documentedCodes().map(({ code }) => code);

/** The fixed parts of the texts with which each code is raised in src. */
function raisedTexts(): Map<string, string[]> {
  const texts = new Map<string, string[]>();
  for (const file of filesIn('src')) {
    const tree = parse(file);
    visit(tree, (node) => {
      if (!ts.isNewExpression(node) || node.expression.getText(tree) !== 'TransferKitError') return;
      const [code, message] = node.arguments ?? [];
      if (code === undefined || !ts.isStringLiteral(code) || message === undefined) {
        throw new Error(`${file.path}: expected a code in quotes and a text, got ${node.getText(tree)}`);
      }
      texts.set(code.text, [...(texts.get(code.text) ?? []), ...fixedParts(message, node)]);
    });
  }
  return texts;
}

/** What is in quotes in an expression, and in the variables of the same function that it names. */
function fixedParts(expression: ts.Expression, from: ts.Node): string[] {
  const parts: string[] = [];
  visit(expression, (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      parts.push(node.text);
    } else if (ts.isIdentifier(node)) {
      const value = initializerOf(node.text, from);
      if (value !== undefined && value !== expression) parts.push(...fixedParts(value, value));
    }
  });
  return parts;
}

function initializerOf(name: string, from: ts.Node): ts.Expression | undefined {
  let scope: ts.Node = from;
  while (!ts.isFunctionLike(scope) && !ts.isSourceFile(scope)) scope = scope.parent;
  let found: ts.Expression | undefined;
  visit(scope, (node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name && node.pos < from.pos) found = node.initializer;
  });
  return found;
}

/** Runs of four words, the names and numbers between them left out. */
function phrases(text: string): string[] {
  const words = text.split(/[^\p{L}'-]+/u).filter((word) => word !== '');
  return words.slice(3).map((_, i) => words.slice(i, i + 4).join(' '));
}

test('texts contain at most 200 characters of a value, in any position', () => {
  const long = 'x'.repeat(200_000);
  const spaced = 'cat photos '.repeat(20_000);
  const around = (value: string) =>
    `verb: expected a name that is 'short', got ${value}. Nearest: 'cat', 'dog'. It is the user's.`;
  for (const value of [
    long,
    `'${long}'`,
    `'${spaced}'`,
    `"${spaced}"`,
    `[${'1,'.repeat(50_000)}1]`,
    `/photos/${long}/cat.jpg`,
  ]) {
    const { message } = new TransferKitError('NOT_FOUND', around(value));
    expect(message.length).toBeLessThan(350);
    expect(message).toContain("expected a name that is 'short', got ");
    expect(message).toMatch(/\(\d+ characters\)'?"?\. Nearest: 'cat', 'dog'\. It is the user's\.$/);
  }
  const plain = around(`'cat'. ${'The text of the package itself is never cut. '.repeat(10)}`);
  expect(new TransferKitError('NOT_FOUND', plain).message).toBe(`[transferkit] ${plain}`);
  expect(shown({ list: new Array(1000).fill(7) }).length).toBeLessThan(200);
  const nested = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;
  expect([nested, { nested }, new Array(2 ** 32 - 1), { list: new Array(20_000).fill(0) }].map(shown)).toEqual([
    'a list of more than 100 levels',
    'an object of more than 100 levels',
    'a list of more than 10000 values',
    'an object of more than 10000 values',
  ]);
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  expect([circle, { big: 1n }, 1n, NaN, undefined, null, 'a', [1], () => 1].map(shown)).toEqual([
    'an object of more than 100 levels',
    'an object that is no plain data',
    '1',
    'NaN',
    'undefined',
    'null',
    '"a"',
    '[1]',
    'a function',
  ]);
});

test('docs/errors.md lists every code with its cause and its remedy', async () => {
  const codes = documentedCodes();
  for (const { code, paragraphs } of codes) expect(paragraphs, code).toHaveLength(2);
  const rows = [...codes]
    .sort((a, b) => a.code.localeCompare(b.code))
    .map(({ code, paragraphs }) => `| \`${code}\` | ${paragraphs.join(' | ')} |`);
  const page = [
    '# Errors',
    '',
    '<!-- Written by test/errors.test.ts from src/core/errorDetails.ts: change it there, then `npx vitest run test/errors.test.ts -u`. -->',
    '',
    'transferkit raises one class, `TransferKitError`. Its `code` is stable and says what went wrong; `details` holds the facts;',
    '`raisedBy` names the function; its text says what was expected, what came and what to do. `isTransferKitError(error, code)`',
    'recognises an error, even one of another copy of the package, and gives `details` the type of that code (`ErrorDetails`).',
    '',
    '| code | what happened | what to do |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ];
  await expect(page.join('\n')).toMatchFileSnapshot('../docs/errors.md');
});

test('an error of a code is recognised, and its facts have their types', () => {
  const error: unknown = new TransferKitError('NOT_FOUND', 'expected a file.', { path: 'model.json' });
  expect(isTransferKitError(error, 'NOT_FOUND') && error.details.path).toBe('model.json');
  expect(isTransferKitError(error, 'BUSY')).toBe(false);
  // @ts-expect-error -- NOT_FOUND has no such fact.
  expect(isTransferKitError(error, 'NOT_FOUND') && error.details.models).toBeUndefined();
  // @ts-expect-error -- BUSY has no path.
  expect(new TransferKitError('BUSY', 'text', { path: 'model.json' }).details).toEqual({ path: 'model.json' });
});

describe('every code', () => {
  const codes = declaredCodes();
  const texts = raisedTexts();
  const tests = filesIn('test').filter(({ path }) => !path.endsWith('errors.test.ts'));
  // A text in a test may be a regular expression.
  const words = ` ${tests
    .map(({ text }) =>
      text
        .replace(/\\(?=\W)/g, '')
        .split(/[^\p{L}'-]+/u)
        .join(' '),
    )
    .join(' ')} `;

  test('is raised, and no others', () => {
    expect([...texts.keys()].sort()).toEqual([...codes].sort());
  });

  test.each(codes)('%s has a test that names it, and one that checks its text', (code) => {
    expect(tests.filter(({ text }) => text.includes(`'${code}'`)).length, `tests with '${code}'`).toBeGreaterThan(0);
    const own = (texts.get(code) ?? []).flatMap(phrases);
    expect(own.filter((phrase) => words.includes(` ${phrase} `)).length, `of:\n${own.join('\n')}`).toBeGreaterThan(0);
  });

  test('describes what was expected', () => {
    // The others are texts that a caller hands on, that of a stop that the user wanted, and that of a fault of our own.
    const others = [...texts]
      .filter(([, parts]) => !parts.some((part) => part.includes('expected')))
      .map(([code]) => code);
    expect(others).toEqual(['ABORTED', 'INTERNAL']);
  });
});

describe('TransferKitError', () => {
  const error = new TransferKitError('NOT_FOUND', 'loadBase: expected a model, found nothing.', { path: 'a' }, 'why');

  test('has a code, facts, a cause and the name of the package in its text', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'TransferKitError', code: 'NOT_FOUND', details: { path: 'a' }, cause: 'why' });
    expect(error.message).toBe('[transferkit] loadBase: expected a model, found nothing.');
    expect(new TransferKitError('ABORTED', 'x').details).toEqual({});
    expect('cause' in new TransferKitError('ABORTED', 'x')).toBe(false);
  });

  test('is recognised by another copy of the package, which has another class', async () => {
    vi.resetModules();
    const copy = await import('../src/core/errors.ts');
    expect(copy.TransferKitError).not.toBe(TransferKitError);
    const theirs = new copy.TransferKitError('DISPOSED', 'x');
    expect(theirs).not.toBeInstanceOf(TransferKitError);
    expect([isTransferKitError(theirs), copy.isTransferKitError(error)]).toEqual([true, true]);
    await expect(nameErrors('load', () => Promise.reject(theirs))).rejects.toBe(theirs);
    expect(theirs).toMatchObject({ raisedBy: 'load', message: '[transferkit] load: x' });
  });

  test('the brand is not printed or saved', () => {
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'TransferKitError',
      code: 'NOT_FOUND',
      details: { path: 'a' },
    });
    expect(Object.keys(error)).not.toContain('transferkit.error');
  });

  test.each([new Error('x'), { code: 'NOT_FOUND' }, 'NOT_FOUND', null, undefined, 3])('%o is not one', (value) => {
    expect(isTransferKitError(value)).toBe(false);
  });
});
