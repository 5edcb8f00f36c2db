// Finds the TypeScript blocks of the documentation and turns each into a program: imports and values that the block
// uses without declaring them are added, and what it says it prints is recorded.
import ts from 'typescript';

/** A fenced block, and where it stands. */
export interface Block {
  /** `path:line` of the first line inside the fence. */
  readonly place: string;
  readonly code: string;
  /** Blocks for pages are compiled only: Node has no page. */
  readonly runs: boolean;
}

/** What a block says that it prints: `console.log(x); // value`, or `x; // value`. `…` stands for anything. */
interface Expectation {
  readonly line: number;
  readonly expected: string;
}

/** A block as a module of its own. */
export interface Program {
  readonly text: string;
  readonly expectations: readonly Expectation[];
}

/** Blocks fenced as `ts` in a Markdown file. */
export function blocksOfMarkdown(path: string, text: string): Block[] {
  return fencedBlocks(text.split('\n'), (line) => line).map(({ code, line }) => block(path, line, code));
}

/** Blocks fenced as `ts` in the doc comments of a source file. */
export function blocksOfSource(path: string, text: string): Block[] {
  return fencedBlocks(text.split('\n'), (line) => line.replace(/^\s*\* ?/, '')).map(({ code, line }) =>
    block(path, line, code),
  );
}

function block(path: string, line: number, code: string): Block {
  const forPages =
    path.startsWith('src/browser') || /'transferkit\/(browser|worker)'/.test(code) || code.includes('document.');
  return { place: `${path}:${line}`, code, runs: !forPages };
}

function fencedBlocks(lines: readonly string[], strip: (line: string) => string): { code: string; line: number }[] {
  const found: { code: string; line: number }[] = [];
  let open: { indent: string; start: number; lines: string[] } | undefined;
  for (const [index, raw] of lines.entries()) {
    const line = strip(raw);
    if (open === undefined) {
      const fence = /^(\s*)```ts\s*$/.exec(line);
      if (fence) open = { indent: fence[1] ?? '', start: index + 2, lines: [] };
    } else if (/^\s*```\s*$/.test(line)) {
      found.push({ code: open.lines.join('\n'), line: open.start });
      open = undefined;
    } else {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    }
  }
  return found;
}

/**
 * Makes a module of a block.
 *
 * @param doors - Names that each door exports, by specifier.
 * @param given - Names of values that the runner provides.
 * @param givenPath - Import specifier of the module that provides them.
 */
export function programOf(
  { code }: Block,
  doors: Readonly<Record<string, readonly string[]>>,
  given: readonly string[],
  givenPath: string,
): Program {
  const tree = ts.createSourceFile('block.ts', code, ts.ScriptTarget.ES2022, true);
  const { used, declared } = namesOf(tree);
  const free = [...used].filter((name) => !declared.has(name));
  const imports = Object.entries(doors).flatMap(([specifier, names]) => {
    const wanted = free.filter((name) => names.includes(name) && !isEarlier(doors, specifier, name));
    return wanted.length > 0 ? [`import { ${wanted.join(', ')} } from '${specifier}';`] : [];
  });
  const values = free.filter((name) => given.includes(name));
  const { text, expectations } = recordPrinting(tree);
  const head = [
    `import { given, record } from '${givenPath}';`,
    ...imports,
    ...values.map((name) => `const ${name} = await given.${name}();`),
  ];
  return { text: `${head.join('\n')}\n${text}\nexport {};\nvoid given;\nvoid record;\n`, expectations };
}

/** A name that two doors export is taken from the first. */
function isEarlier(doors: Readonly<Record<string, readonly string[]>>, specifier: string, name: string): boolean {
  const owner = Object.keys(doors).find((door) => doors[door]?.includes(name));
  return owner !== specifier;
}

/** Names that a block reads, and names that it declares anywhere. */
function namesOf(tree: ts.SourceFile): { used: Set<string>; declared: Set<string> } {
  const used = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const isName = 'name' in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent);
      const isMember =
        isName &&
        (ts.isPropertyAccessExpression(parent) ||
          ts.isPropertyAssignment(parent) ||
          ts.isMethodDeclaration(parent) ||
          ts.isPropertySignature(parent));
      if (isName && !isMember) declared.add(node.text);
      else if (!isMember && !('propertyName' in parent && parent.propertyName === node)) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { used, declared };
}

/** Replaces what prints and says what, so that the runner hears it. Everything stays on its line. */
function recordPrinting(tree: ts.SourceFile): Program {
  const edits: { start: number; end: number; text: string }[] = [];
  const expectations: Expectation[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      const comment = trailingComment(tree, node);
      const { expression } = node;
      const prints = ts.isCallExpression(expression) && expression.expression.getText() === 'console.log';
      if (comment !== undefined && (prints || isLiteral(comment))) {
        const line = tree.getLineAndCharacterOfPosition(node.getStart()).line;
        expectations.push({ line, expected: comment });
        const values = prints ? expression.arguments.map((argument) => argument.getText()) : [expression.getText()];
        const kind = prints ? 'printed' : 'value';
        edits.push({
          start: expression.getStart(),
          end: expression.getEnd(),
          text: `record.${kind}(${line}, ${values.join(', ')})`,
        });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const text = edits.reduceRight(
    (code, { start, end, text: replacement }) => code.slice(0, start) + replacement + code.slice(end),
    tree.text,
  );
  return { text, expectations };
}

function trailingComment(tree: ts.SourceFile, node: ts.Node): string | undefined {
  const [range] = ts.getTrailingCommentRanges(tree.text, node.getEnd()) ?? [];
  return range && tree.text.slice(range.pos, range.end).replace(/^\/\/\s*/, '');
}

/** A comment that states a value, rather than one that explains a statement. */
function isLiteral(comment: string): boolean {
  return /^(['"[{\d-]|true\b|false\b|null\b|undefined\b)/.test(comment);
}

/** Whether what was printed is what a comment says, white space aside. */
export function matches(printed: string, expected: string): boolean {
  const dense = (text: string): string => text.replace(/\s+/g, '');
  const pattern = dense(expected)
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`).test(dense(printed));
}
