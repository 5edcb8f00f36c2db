// Lint as law: what the house rules ask and a program can check. Rules that are off have their reason beside them.
import { defineConfig, globalIgnores } from 'eslint/config';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const nodeGlobals = [
  ...['console', 'process', 'performance', 'URL', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'Buffer'],
  ...['Request', 'Response', 'AbortSignal', 'TextDecoder', 'TextEncoder', 'WebAssembly', 'structuredClone'],
];

const plainJavaScript = {
  eqeqeq: ['error', 'always'],
  'no-undef': 'error',
  'no-unused-vars': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
};

const typeScript = {
  eqeqeq: ['error', 'always'],
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
  // Numbers in messages are shapes, sizes and indices: their plain text is what is wanted.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  // Model files are untrusted JSON: a class name is made text and then looked up; what is no text matches no name.
  '@typescript-eslint/no-base-to-string': 'off',
  // An async function without await makes a rejection of what is thrown, as its type promises.
  '@typescript-eslint/require-await': 'off',
};

/** What ES2023 and TypeScript's DOM have and Chrome 109, Firefox 115 or Safari 16.4 lack; newer ECMAScript tsc refuses. */
const newerThanBrowsers = [
  ['toReversed', 'use [...list].reverse()'],
  ['toSorted', 'use [...list].sort()'],
  ['toSpliced', 'use slice'],
  ['with', 'use map'],
  ['canParse', 'use core/parseUrl'],
  ['any', 'add a listener to each signal'],
  ['requestIdleCallback', 'use setTimeout'],
];

export default defineConfig([
  globalIgnores([
    '**/dist/',
    'docs/api/',
    'coverage/',
    '.cache/',
    'src/engines/kernels/assembly/*.ts',
    'src/engines/kernels/binaries.ts',
    'src/data/preprocess/resizeBinary.ts',
    'src/engines/backends/tfjsBinary.ts',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.js'],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])) },
    plugins: { 'import-x': importX },
    // The compiler says it of TypeScript alone.
    rules: { ...plainJavaScript, 'import-x/named': 'error' },
  },
  {
    files: ['bench/page/page.js'],
    languageOptions: { globals: { document: 'readonly', Worker: 'readonly', clearInterval: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: typeScript,
  },
  {
    files: ['src/**/*.ts'],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js'] })] },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'no-console': 'error',
      complexity: ['error', 18],
      'max-lines-per-function': ['error', { max: 80, skipComments: true, skipBlankLines: true }],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'One seed fixes everything: use core/random.' },
        ...newerThanBrowsers.map(([property, instead]) => ({
          property,
          message: `The oldest browsers of docs/browsers.md lack it: ${instead}.`,
        })),
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "BinaryExpression[operator='instanceof'][right.name='TransferKitError']",
          message: 'Two copies of the package may be installed: use isTransferKitError.',
        },
      ],
      'import-x/no-cycle': 'error',
      'import-x/no-self-import': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-duplicates': ['error', { 'prefer-inline': true }],
      'import-x/extensions': ['error', 'always', { ignorePackages: true, checkTypeImports: true }],
    },
  },
  {
    // What has no result to list its warnings in warns on the console.
    files: ['src/core/warnOnce.ts'],
    rules: { 'no-console': ['error', { allow: ['warn'] }] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A missing value in a test is a failed test: asserting is what it is for.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
]);
