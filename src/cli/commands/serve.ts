// `transferkit serve`: a model as a small HTTP service.
import { load } from '../../index.ts';
import { serveModel, type AnswerReport } from '../../node.ts';
import { defineCommand } from '../shell/command.ts';
import { given } from '../shell/given.ts';
import { stopGently } from '../shell/interruption.ts';
import { openBackend } from '../shell/openBase.ts';
import { computing } from '../shell/sharedOptions.ts';

/** The command. */
export const command = defineCommand({
  name: 'serve',
  text: 'Answers POST /predict with the labels of the picture in its body, until Ctrl-C.',
  places: ['model'],
  options: {
    host: { kind: 'text', placeholder: 'address', text: 'default 127.0.0.1: programs of this computer alone' },
    port: { kind: 'number', placeholder: 'n', text: 'default 8080; 0 takes a free one' },
    'allow-hosts': { kind: 'text', placeholder: 'names', text: 'names that the header Host may have, with commas' },
    'allow-origins': { kind: 'text', placeholder: 'origins', text: 'origins of pages that may call, with commas' },
    top: { kind: 'number', placeholder: 'n', text: 'labels in an answer; default all' },
    'max-bytes': { kind: 'number', placeholder: 'n', text: 'most bytes of a picture; default 16 MiB' },
    'max-seconds': { kind: 'number', placeholder: 's', text: 'most seconds for a request to arrive; default 30' },
    parallel: { kind: 'number', placeholder: 'n', text: 'pictures at the same time; default 4' },
    queue: { kind: 'number', placeholder: 'n', text: 'pictures that may wait; default 64' },
    ...computing,
  },
  examples: [
    'transferkit serve model --top 3',
    'transferkit serve model --host 0.0.0.0 --port 80 --allow-hosts photos.example.org',
  ],
  async run({ values, places: [source], terminal }) {
    await openBackend(values);
    const model = await load(source, { onProgress: terminal.download });
    const { host, port, top, parallel, queue, 'max-bytes': maxBytes, 'max-seconds': maxSeconds } = values;
    const names = { allowHosts: listOf(values['allow-hosts']), allowOrigin: listOf(values['allow-origins']) };
    const service = await serveModel(model, {
      ...given({ host, port, topK: top, parallel, queue, maxBytes, maxSeconds, ...names }),
      onAnswer: (report) => {
        terminal.note(describeAnswer(report));
      },
    });
    terminal.result({ url: service.url }, [service.url]);
    terminal.note(`curl --data-binary @cat.jpg -H 'Content-Type: image/jpeg' ${service.url}/predict`);
    await stopped(() => {
      terminal.note('Stopping after the answers that have begun. Ctrl-C again ends at once.');
    });
    await service.close();
    model.dispose();
  },
});

function listOf(names: string | undefined): string[] | undefined {
  return names?.split(',').map((name) => name.trim());
}

/** Resolves at the signal that ends the program, and sets the exit code. */
function stopped(onStop: () => void): Promise<void> {
  return new Promise((resolve) => {
    const stop = stopGently(() => {
      onStop();
      process.exitCode = stop.exitCode();
      resolve();
    });
  });
}

function describeAnswer({ status, code, method, path, bytes, seconds }: AnswerReport): string {
  const words = [status ?? 'hung up', code ?? '', method, path, `${String(bytes)} bytes`, `${seconds.toFixed(3)} s`];
  // Clients choose the path: bytes that control a terminal are not written to it.
  return words
    .filter((word) => word !== '')
    .join(' ')
    .replace(/[^\x20-\x7e]/g, '?');
}
