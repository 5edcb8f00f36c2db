// Readers that do the harm that the program is to catch, one each.
const brand = Symbol.for('transferkit.error');
const bytes = Uint8Array.from({ length: 40 }, (_, i) => i);
const seeds = [{ name: 'seed', files: { file: bytes } }];
const checked = [{ name: 'seed', files: { file: bytes }, ranges: { file: 'all' } }];

let held = 0;
let reads = -1;

/** Reads the seed as it is without harm, and does it with the first damaged input. */
const reader = (name, harm, of = seeds) => ({
  name,
  open: async () => {
    const read = async () => (reads++ < 0 ? [1] : ((await harm()) ?? [1]));
    return { seeds: of, tensors: () => held, read };
  },
});

const trap = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11,
]);

function refuse() {
  throw Object.assign(new Error('refused'), { code: 'NOT_A_MODEL', [brand]: true });
}

const kill = () => process.kill(process.pid, 'SIGSEGV');

export const readers = [
  reader('turns round for ever', () => {
    for (;;);
  }),
  reader('never answers', () => new Promise(() => undefined)),
  reader('waits for ever', () => new Promise(() => setInterval(() => undefined, 1000))),
  reader('fills the memory', () => {
    const parts = [];
    for (;;) parts.push(Buffer.alloc(2 ** 24, 1));
  }),
  reader('is killed', kill),
  reader('ends the process', () => process.exit(0)),
  reader('traps', () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(trap));
    exports.f();
  }),
  reader('is killed by every third', () => (reads % 3 === 0 ? kill() : [1])),
  reader('raises', () => {
    throw new TypeError('no');
  }),
  reader('refuses', refuse),
  reader('leaves a tensor', () => void held++),
  reader('raises later', () => void Promise.reject(new Error('later'))),
  reader('prints', () => void process.stdout.write('out\n')),
  reader('writes to standard error', () => void process.stderr.write('error\n')),
  reader('believes damage', () => [2], checked),
  reader('has no checksum', () => [2]),
  {
    name: 'cannot be opened',
    open: async () => {
      throw new Error('no such package');
    },
  },
  { name: 'has no seeds', open: async () => ({ seeds: [], read: async () => [1] }) },
];
