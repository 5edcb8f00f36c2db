// The program `transferkit` as people run it: processes, folders of pictures, exit codes.
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, endOf, type Ended, type Program } from '../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'transferkit-cli-'));
let program: Program;

const run = (...words: string[]): Promise<Ended> => program.run(words, folder);

/** Runs a command that must succeed, and reads its JSON. */
async function runJson(...words: string[]): Promise<Record<string, unknown>> {
  const { code, output, errors } = await run(...words, '--json');
  expect(code, errors).toBe(0);
  return JSON.parse(output) as Record<string, unknown>;
}

beforeAll(async () => {
  program = await buildProgram();
  await writePictures('photos', 12);
  await runJson('fetch', 'mobilenet_v2', 'base', '--weights', 'none', '--alpha', '0.35', '--input-size', '32');
});

afterAll(() => {
  rmSync(program.folder, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

const small = ['--base', 'base', '--cut', 'block_3_depthwise_relu'];

test('train, evaluate, predict, export, info: from a folder of pictures to a model in other programs', async () => {
  const trained = await run('train', 'photos', ...small, '--unfreeze', 'none', '--seed', '1', '--output', 'solved');
  expect(trained).toMatchObject({ code: 0, output: 'solved: 2 labels, validation accuracy 100.0 %\n' });
  expect(trained.errors).toContain('24 pictures of 2 labels in photos\nfeatures …\nhead …\n');

  writeFileSync(join(folder, 'a "junk", file.jpg'), 'junk');
  const [evaluation, csv, exported, facts] = await Promise.all([
    runJson('evaluate', 'solved', 'photos'),
    run('predict', 'solved', 'photos/red/1.png', 'a "junk", file.jpg', '--top', '2', '--csv'),
    runJson('export', 'solved', '--format', 'onnx', '--quantize', 'uint8'),
    runJson('info', 'solved'),
  ]);
  expect(evaluation).toMatchObject({ accuracy: 1, examples: 24, labels: ['blue', 'red'] });

  const [names, best, second, bad] = csv.output.trim().split('\n');
  expect(csv.code).toBe(1);
  expect(names).toBe('file,label,probability,error');
  expect(best).toMatch(/^photos\/red\/1\.png,red,(1|0\.[5-9]\d*),$/);
  expect(second).toMatch(/^photos\/red\/1\.png,blue,[\d.e-]+,$/);
  expect(bad).toMatch(/^"a ""junk"", file\.jpg",,,"?expected a picture/);

  expect(exported).toMatchObject({ output: 'solved.onnx', format: 'onnx' });
  expect(readFileSync(join(folder, 'solved.onnx')).length).toBeGreaterThan(1000);
  expect(facts).toMatchObject({
    task: 'classes',
    labels: ['blue', 'red'],
    cut: 'block_3_depthwise_relu',
    preprocessing: { kind: 'image', size: [32, 32], mode: 'tf' },
  });
});

test('serve answers with labels until Ctrl-C', async () => {
  const child = program.start(['serve', 'solved', '--port', '0', '--top', '1'], folder);
  const ending = endOf(child);
  const [url] = (await once(child.stdout!, 'data')) as [Buffer];
  const answer = await fetch(`${String(url).trim()}/predict`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/png' },
    body: readFileSync(join(folder, 'photos/red/1.png')),
  });
  expect(await answer.json()).toMatchObject({ predictions: [{ label: 'red' }] });
  child.kill('SIGINT');
  const { code, errors } = await ending;
  expect(code).toBe(130);
  expect(errors).toMatch(/^200 POST \/predict \d+ bytes \d\.\d{3} s$/m);
});

test('Ctrl-C, then kill -9, then the same command: the weights end as without', { timeout: 120_000 }, async () => {
  // Without validation, the model ends with the weights of the last epoch.
  const settings = ['--epochs', '6', '--batch-size', '4', '--augment', 'light', '--validation', 'none'];
  const words = [...small, ...settings, '--learning-rate', '0.0001', '--checkpoint-seconds', '0.05'];
  const command = ['train', 'photos', ...words, '--output', 'stopped'];
  const plain = run('train', 'photos', ...words, '--output', 'plain');

  const interrupted = program.start(command, folder);
  const ending = endOf(interrupted);
  await until(interrupted, 'fine-tuning, epoch 1');
  interrupted.kill('SIGINT');
  const { code, output, errors } = await ending;
  expect({ code, output }).toEqual({ code: 130, output: '' });
  expect(errors).toContain('Stopped. The same command goes on.');
  expect(existsSync(join(folder, 'stopped'))).toBe(false);

  const other = await run(...command, '--batch-size', '8');
  expect(other).toMatchObject({ code: 1, output: '' });
  expect(other.errors).toMatch(/^CHECKPOINT_MISMATCH: .* Add --restart to begin anew\.$/m);

  const killed = program.start(command, folder);
  await until(killed, 'fine-tuning, epoch 2');
  killed.kill('SIGKILL');
  await once(killed, 'close');
  expect(existsSync(join(folder, 'stopped'))).toBe(false);

  const last = await program.run(command, folder);
  expect(last.code, last.errors).toBe(0);
  expect(last.errors).not.toContain('fine-tuning, epoch 1:');
  expect((await plain).code).toBe(0);
  expect(weightsOf('stopped')).toBe(weightsOf('plain'));
  expect(existsSync(join(folder, 'stopped.checkpoint'))).toBe(false);
});

test('without --base, train downloads mobilenet_v2; Ctrl-C before the first batch ends it at once', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const mirror = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const child = program.start(['train', 'photos', '--output', 'never', '--mirror', mirror], folder);
  const ending = endOf(child);
  const [request] = (await once(server, 'request')) as [{ readonly url: string }];
  child.kill('SIGINT');
  expect((await ending).code).toBe(130);
  server.closeAllConnections();
  server.close();
  expect(request.url).toMatch(/mobilenet_v2_weights\w*_1\.0_224_no_top\.h5$/);
  expect(existsSync(join(folder, 'never'))).toBe(false);
});

test('inspect: counts, sizes, unreadable files, duplicates, imbalance', async () => {
  cpSync(join(folder, 'photos'), join(folder, 'mixed'), { recursive: true });
  cpSync(join(folder, 'photos/red/1.png'), join(folder, 'mixed/blue/again.png'));
  for (const name of readdirSync(join(folder, 'mixed/red')).slice(2)) rmSync(join(folder, 'mixed/red', name));
  writeFileSync(join(folder, 'mixed/blue/broken.jpg'), 'junk');
  writeFileSync(join(folder, 'mixed/blue/notes.txt'), 'text');
  const report = await runJson('inspect', 'mixed');
  expect(report).toMatchObject({
    pictures: 16,
    labels: { blue: { pictures: 14 }, red: { pictures: 2 } },
    sizes: { smallest: '40 × 30', median: '40 × 30', largest: '40 × 30' },
    unreadable: [{ file: 'blue/broken.jpg' }],
    ignored: { 'blue/notes.txt': 'not a picture' },
    duplicates: [['blue/again.png', 'red/1.png']],
  });
  expect(report.warnings).toEqual([
    "'red' has only 2 pictures; ten are few",
    "'blue' has 14 pictures, 'red' 2: train with --balance",
    'the same picture has several labels: blue/again.png, red/1.png',
  ]);
});

test('suggest ranks cuts; a reader that closes the pipe is no error', async () => {
  const child = program.start(['suggest', 'photos', ...small, '--folds', '2', '--quiet'], folder);
  child.stdout?.destroy();
  const [ended, report] = await Promise.all([endOf(child), runJson('suggest', 'photos', ...small, '--folds', '2')]);
  expect(ended).toMatchObject({ code: 0, errors: '' });
  expect((report.cuts as { cut: string }[]).map(({ cut }) => cut)).toContain(report.suggested);
});

test('bad input ends with a code, a text in one line, and no stack', async () => {
  mkdirSync(join(folder, 'empty'));
  cpSync(join(folder, 'photos/red'), join(folder, 'single/red'), { recursive: true });
  cpSync(join(folder, 'base'), join(folder, 'newer'), { recursive: true });
  const model = join(folder, 'newer/model.json');
  writeFileSync(model, readFileSync(model, 'utf8').replace('"transferkit":{"version":1', '"transferkit":{"version":2'));
  const cases: [words: string[], code: number, text: RegExp][] = [
    [['trian', 'photos'], 2, /^INVALID_OPTION: expected a command, got 'trian' \(nearest: train\)\.\n$/],
    [['train', 'photos', '--epoch', '3'], 2, /^INVALID_OPTION: .* got '--epoch' \(nearest: --epochs\)\.\n$/],
    [
      ['train', 'photos', '--output', 'base'],
      2,
      /^INVALID_OPTION: .* base yet, got one that exists. Add --force .*\n$/,
    ],
    [['train', 'missing'], 1, /^NOT_FOUND: expected a folder at .*\n$/],
    [['train', 'empty'], 1, /^NO_EXAMPLES: .*\n$/],
    [['train', 'single', '--quiet', ...small], 1, /^TOO_FEW_CLASSES: .*\n$/],
    [
      ['info', 'newer'],
      1,
      /^NOT_A_MODEL: expected metadata of transferkit in version 1 in newer\/model.json, got version 2\. .*\n$/,
    ],
  ];
  const ended = await Promise.all(cases.map(([words]) => run(...words)));
  for (const [i, [words, code, text]] of cases.entries()) {
    expect(ended[i], words.join(' ')).toMatchObject({ code, output: '' });
    expect(ended[i]?.errors).toMatch(text);
  }
});

test('without a command the help is on the error stream, with --help it is the result', async () => {
  const [bare, help] = await Promise.all([run(), run('--help')]);
  expect(help).toMatchObject({ code: 0, errors: '' });
  expect(help.output).toContain('Usage: transferkit <command>');
  expect(bare).toEqual({ code: 2, output: '', errors: help.output });
});

async function writePictures(name: string, count: number): Promise<void> {
  for (const [label, channel] of [
    ['red', 0],
    ['blue', 2],
  ] as const) {
    mkdirSync(join(folder, name, label), { recursive: true });
    for (let i = 0; i < count; i++) {
      const pixels = Uint8Array.from(
        { length: 40 * 30 * 3 },
        (_, at) => (at % 3 === channel ? 160 : 40) + ((at * 7 + i * 13) % 90),
      );
      const picture = sharp(pixels, { raw: { width: 40, height: 30, channels: 3 } });
      await picture.png().toFile(join(folder, name, label, `${String(i)}.png`));
    }
  }
}

/** Resolves when a process has written a text on its error stream. */
function until(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let written = '';
    child.stderr?.on('data', (piece) => {
      if ((written += String(piece)).includes(text)) resolve();
    });
    child.once('close', () => {
      reject(new Error(`ended without '${text}': ${written}`));
    });
  });
}

/** Hash of the weights of a saved model. */
function weightsOf(name: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(join(folder, name)).filter((file) => file.endsWith('.bin'));
  for (const file of files.sort()) hash.update(readFileSync(join(folder, name, file)));
  return hash.digest('hex');
}
