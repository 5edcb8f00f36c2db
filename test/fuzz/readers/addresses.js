// Models at addresses: what a server says, through `fetch` in place (TF Hub's way) and through sockets, where the answers
// themselves are damaged.
import { createServer } from 'node:net';
import { renamed, tinyNetwork, writtenFiles } from './tfjsModels.js';
import { takeOutputs, tensors, textBytes } from './values.js';

async function modelFiles(api, folder) {
  const written = await writtenFiles((target) => tinyNetwork().save(target), api, folder);
  return { 'model.json': renamed(written, 'group1-shard1of1.bin'), 'group1-shard1of1.bin': written.shard };
}

const quiet = { cacheDir: false, mirror: false, retries: 0 };

export const hub = {
  name: 'TF Hub folder',
  share: 1,
  open: async (api, folder) => {
    await api.useBackend('wasm', { threads: 1 });
    const seeds = [{ name: 'hub', files: await modelFiles(api, folder) }];
    const read = async (files) => {
      const answer = async (address) => {
        const name = new URL(address instanceof Request ? address.url : address).pathname.split('/').at(-1);
        return name in files ? new Response(files[name]) : new Response('not here', { status: 404 });
      };
      return takeOutputs(await api.loadBase('https://tfhub.dev/somebody/something/1', { ...quiet, fetch: answer }));
    };
    return { seeds, tensors, read };
  },
};

export const http = {
  name: 'HTTP answers',
  share: 1,
  open: async (api, folder) => {
    await api.useBackend('wasm', { threads: 1 });
    const files = Object.entries(await modelFiles(api, folder)).map(([name, bytes]) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nETag: "1"\r\nContent-Length: ${bytes.length}\r\n\r\n`;
      return [name, new Uint8Array(Buffer.concat([textBytes(head), bytes]))];
    });
    const serve = await answering();
    const read = async (answers) => {
      const address = serve(answers);
      return takeOutputs(await api.loadBase(address, { ...quiet, signal: AbortSignal.timeout(5000) }));
    };
    return { seeds: [{ name: 'http', files: Object.fromEntries(files) }], tensors, read };
  },
};

/** A server that answers with the given bytes, whatever they are, and hangs up. */
async function answering() {
  let answers = {};
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (request) => {
      const name = /^GET \S*\/([^/?\s]+)/.exec(String(request))?.[1] ?? '';
      socket.end(answers[name] ?? 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return (given) => {
    answers = given;
    return `http://127.0.0.1:${server.address().port}/model/model.json`;
  };
}
