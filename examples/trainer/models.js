// Fills the folder `models` of the page: the MobileNetV2 of npm's nsfwjs, as far as its layers are ImageNet's. Layers after
// block 10 were trained for another purpose.
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import { loadBase, writeBase } from 'transferkit';

const folder = fileURLToPath(new URL('models/mobilenet_v2', import.meta.url));

/** How the page shows it, and from where on it trains it. */
const about = { name: 'MobileNetV2 (ImageNet)', trainFrom: 'block_9_expand' };

/** Writes what is missing. */
export async function writeModels() {
  const isThere = await access(join(folder, 'about.json')).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await mkdir(folder, { recursive: true });
  const base = await loadBase(mobilenet, { cut: 'block_10_depthwise_relu', preprocess: 'tf' });
  await writeBase(base, folder, { quantize: 'float16' });
  base.dispose();
  await writeFile(join(folder, 'about.json'), `${JSON.stringify(about, null, 2)}\n`);
}
