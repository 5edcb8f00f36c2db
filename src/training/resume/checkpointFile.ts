// One checkpoint as bytes, in the layout of safetensors (https://github.com/huggingface/safetensors), so that Python
// can read its tensors too: length of the header (8 bytes, little-endian), header in JSON (names, types, shapes,
// offsets), values. The rest of the state is text in the header's `__metadata__`, with a CRC-32 of the whole file.
import { crc32 } from '../../core/crc32.ts';
import { TransferKitError } from '../../core/errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { sizeOf } from '../../core/shapes.ts';

/** Values of a tensor outside a backend. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** Content of a file. */
export interface CheckpointContent {
  /** JSON; its numbers may be infinite or NaN. */
  readonly state: object;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Content that was read from a file. */
export interface ReadContent extends CheckpointContent {
  readonly state: JsonObject;
}

const format = 'transferkit-checkpoint';
const lengthBytes = 8;
const valueBytes = 4;

/** Encodes a checkpoint. */
export function encodeCheckpoint({ state, tensors }: CheckpointContent): Uint8Array {
  const text = JSON.stringify(state, markNumber);
  const entries: JsonObject = {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    if (values.length !== sizeOf(shape)) throw new RangeError(`${name} has ${values.length} values`);
    const dtype = values instanceof Int32Array ? 'I32' : 'F32';
    entries[name] = { dtype, shape: [...shape], data_offsets: [end, end + values.byteLength] };
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    end += values.byteLength;
  }
  const metadata = { format, state: text, crc32: checksum(text, entries, parts) };
  const header = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...entries }));
  // Spaces after the header align the values to 8 bytes.
  const start = lengthBytes + Math.ceil(header.length / lengthBytes) * lengthBytes;
  const bytes = new Uint8Array(start + end).fill(0x20, lengthBytes, start);
  new DataView(bytes.buffer).setUint32(0, start - lengthBytes, true);
  bytes.set(header, lengthBytes);
  let place = start;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return bytes;
}

/**
 * Decodes a checkpoint. Its tensors are views of the bytes where these are aligned to 4 bytes.
 *
 * @param name - Name of the file, for the error.
 * @throws TransferKitError `WEIGHTS_DAMAGED` if any bit differs from the output of `encodeCheckpoint`.
 */
export function decodeCheckpoint(name: string, bytes: Uint8Array): ReadContent {
  try {
    return decode(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected a whole checkpoint in ${name}, got a file of ${bytes.length} bytes: ${reason}.`;
    throw new TransferKitError('WEIGHTS_DAMAGED', text, { name, reason, bytes: bytes.length }, cause);
  }
}

function decode(bytes: Uint8Array): ReadContent {
  const { header, data } = split(bytes);
  const { __metadata__: metadata, ...entries } = header;
  if (!isJsonObject(metadata) || metadata.format !== format || typeof metadata.state !== 'string') {
    throw new Error('transferkit did not write it');
  }
  const places = Object.entries(entries).map(([name, entry]) => [name, placeOf(name, entry)] as const);
  let end = 0;
  for (const [name, place] of places) {
    if (place.start !== end) throw new Error(`${name} does not begin where the tensor before it ends`);
    end = place.end;
  }
  if (end !== data.length) throw new Error(`its tensors take ${end} bytes and have ${data.length}`);
  if (metadata.crc32 !== checksum(metadata.state, entries, [data])) throw new Error('its checksum is another');
  const state: unknown = JSON.parse(metadata.state, reviveNumber);
  if (!isJsonObject(state)) throw new Error('its state is no object');
  return { state, tensors: new Map(places.map(([name, place]) => [name, tensorAt(place, data)])) };
}

function split(bytes: Uint8Array): { header: JsonObject; data: Uint8Array } {
  if (bytes.length < lengthBytes) throw new Error('it is cut short');
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const start = lengthBytes + length;
  if (start > bytes.length) throw new Error(`its header takes ${length} bytes`);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(lengthBytes, start));
  const header: unknown = JSON.parse(text);
  if (!isJsonObject(header)) throw new Error('its header is no object');
  const data = bytes.subarray(start);
  return { header, data: data.byteOffset % valueBytes === 0 ? data : data.slice() };
}

/** Type, shape and byte range of a tensor. */
interface Place {
  readonly dtype: 'F32' | 'I32';
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

function placeOf(name: string, entry: Json | undefined): Place {
  if (isJsonObject(entry)) {
    const { dtype, shape, data_offsets: offsets } = entry;
    if ((dtype === 'F32' || dtype === 'I32') && areSizes(shape) && areSizes(offsets)) {
      const [start = NaN, end = NaN] = offsets;
      if (end - start === sizeOf(shape) * valueBytes) return { dtype, shape, start, end };
    }
  }
  throw new Error(`${name} is described by ${JSON.stringify(entry)}`);
}

function areSizes(value: Json | undefined): value is number[] {
  return isJsonList(value) && value.every((each) => Number.isSafeInteger(each) && Number(each) >= 0);
}

function tensorAt({ dtype, shape, start, end }: Place, data: Uint8Array): StoredTensor {
  const place = [data.byteOffset + start, (end - start) / valueBytes] as const;
  const values = dtype === 'F32' ? new Float32Array(data.buffer, ...place) : new Int32Array(data.buffer, ...place);
  return { shape, values };
}

function checksum(text: string, entries: JsonObject, data: readonly Uint8Array[]): string {
  const described = new TextEncoder().encode(JSON.stringify([text, entries]));
  const sum = data.reduce((before, part) => crc32(part, before), crc32(described));
  return sum.toString(16).padStart(8, '0');
}

const marker = '$number';

/** JSON has no infinite numbers, no NaN and no -0. */
function markNumber(_key: string, value: unknown): unknown {
  const isPlain = typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0));
  return isPlain ? value : { [marker]: Object.is(value, -0) ? '-0' : String(value) };
}

function reviveNumber(_key: string, value: Json): Json {
  return isJsonObject(value) && typeof value[marker] === 'string' ? Number(value[marker]) : value;
}
