// Values one by one.
import { word } from './parameters';

/** out = a + b, cut into tasks of `chunk` values. Parameters: a, b, out, size, chunk. */
export function addInto(parameters: usize, task: i32): void {
  const chunk = word(parameters, 4);
  const start = task * chunk;
  const end = min(start + chunk, word(parameters, 3));
  const a = <usize>word(parameters, 0);
  const b = <usize>word(parameters, 1);
  const out = <usize>word(parameters, 2);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const at = (<usize>i) << 2;
    v128.store(out + at, f32x4.add(v128.load(a + at), v128.load(b + at)));
  }
  for (; i < end; i++) {
    const at = (<usize>i) << 2;
    store<f32>(out + at, load<f32>(a + at) + load<f32>(b + at));
  }
}
