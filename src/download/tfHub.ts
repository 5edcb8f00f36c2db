// Finds the model.json for addresses of TF Hub, and of Kaggle, where TF Hub has moved.
import { TransferKitError } from '../core/errors.ts';
import { parseUrl } from '../core/parseUrl.ts';

/**
 * Returns the address of the `model.json` of a tfjs model on TF Hub (`https://tfhub.dev/<publisher>/<model>/<version>`)
 * or Kaggle (`https://www.kaggle.com/models/<owner>/<model>/TfJs/<variation>/<version>`, or the longer address of its
 * page). These servers deliver files only with the query `tfjs-format=file`; the shards are requested with the same
 * query.
 *
 * @returns Any other address unchanged.
 * @throws TransferKitError `UNSUPPORTED_SOURCE` for a Kaggle model of another framework, or without a version.
 */
export function tfHubAddress(location: string): string {
  const url = /^https?:/i.test(location) ? parseUrl(location) : undefined;
  if (url === undefined) return location;
  const isKaggle = isKaggleModel(url);
  if (!isKaggle && !isHubModel(url)) return location;
  // The user wants an archive, which is not a tfjs model.
  if (url.searchParams.has('tf-hub-format')) return location;
  if (isKaggle) url.pathname = kagglePath(url.pathname, location);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('.json') ? path : `${path}/model.json`;
  url.searchParams.set('tfjs-format', 'file');
  url.hash = '';
  return url.href;
}

/** Returns whether an address is that of a model on TF Hub or Kaggle. */
export function isTfHub(location: string): boolean {
  const url = /^https?:/i.test(location) ? parseUrl(location) : undefined;
  return url !== undefined && (isKaggleModel(url) || isHubModel(url));
}

function isKaggleModel({ hostname, pathname }: URL): boolean {
  return /^(www\.)?kaggle\.com$/i.test(hostname) && pathname.startsWith('/models/');
}

function isHubModel({ hostname }: URL): boolean {
  return /^(www\.)?tfhub\.dev$/i.test(hostname);
}

/** Returns `/models/owner/model/TfJs/variation/version`, from such a path or from that of the model's page. */
function kagglePath(path: string, location: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const plain = parts.filter((part, i) => !(i > 2 && /^(frameworks|variations|versions)$/i.test(part)));
  const [, owner, model, framework, variation, version] = plain;
  if (framework !== undefined && !/^tfjs$/i.test(framework)) {
    throw unsupported(location, `the variation for ${framework}`);
  }
  if (owner === undefined || model === undefined || variation === undefined || version === undefined) {
    throw unsupported(location, 'no variation with a version');
  }
  return `/${plain.join('/')}`;
}

function unsupported(location: string, found: string): TransferKitError {
  return new TransferKitError(
    'UNSUPPORTED_SOURCE',
    `expected the address of a TF.js variation on Kaggle, https://www.kaggle.com/models/<owner>/<model>/TfJs/<variation>/` +
      `<version>, got ${found} in ${location}. Choose TF.js on the model's page.`,
    { location, found },
  );
}
