// One step of an optimizer for all weights. Each sum and product is rounded separately, as in tfjs's operations.
import { real, word } from './parameters';

class Adam {}
class Descent {}
class Momentum {}
class Nesterov {}

const RULE = 0;
/**
 * Address of the table: for each weight an entry of ENTRY_WORDS words and the number of values before it; then the
 * total number of values.
 */
const TABLE = 1;
const TASK_VALUES = 2;
const VALUES = 3;
const DECAY = 4;
const SHARE = 5;
const POWER_DECAY = 6;
const POWER_SHARE = 7;
const POWER_CORRECTION = 8;
const EPSILON = 9;

const ENTRY_BYTES: usize = 28;
const BEFORE = 0;
const WEIGHT = 1;
const GRADIENT = 2;
const OUT = 3;
const RATE = 4;
const FIRST_STATE = 5;
const SECOND_STATE = 6;

/** One task: TASK_VALUES of the VALUES of all weights, counted as one list. */
export function updateWeights(parameters: usize, task: i32): void {
  switch (word(parameters, RULE)) {
    case 0:
      updateValues<Adam>(parameters, task);
      break;
    case 1:
      updateValues<Descent>(parameters, task);
      break;
    case 2:
      updateValues<Momentum>(parameters, task);
      break;
    default:
      updateValues<Nesterov>(parameters, task);
  }
}

function updateValues<Rule>(parameters: usize, task: i32): void {
  const last = min((task + 1) * word(parameters, TASK_VALUES), word(parameters, VALUES));
  let at = task * word(parameters, TASK_VALUES);
  let entry = <usize>word(parameters, TABLE);
  while (at < last) {
    const next = entry + ENTRY_BYTES;
    const end = min(last, word(next, BEFORE));
    if (at < end) updatePart<Rule>(parameters, entry, at - word(entry, BEFORE), end - at);
    at = max(at, end);
    entry = next;
  }
}

function updatePart<Rule>(parameters: usize, entry: usize, start: i32, count: i32): void {
  const offset = (<usize>start) << 2;
  const weight = <usize>word(entry, WEIGHT) + offset;
  const gradient = <usize>word(entry, GRADIENT) + offset;
  const out = <usize>word(entry, OUT) + offset;
  const a = <usize>word(entry, FIRST_STATE) + offset;
  const b = <usize>word(entry, SECOND_STATE) + offset;
  const rate = f32x4.splat(real(entry, RATE));
  const bytes = (<usize>count) << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const change = changeOf<Rule>(parameters, v128.load(gradient + at), a + at, b + at, rate, true);
    v128.store(out + at, f32x4.sub(v128.load(weight + at), change));
  }
  for (; at < bytes; at += 4) {
    const change = changeOf<Rule>(parameters, v128.load32_zero(gradient + at), a + at, b + at, rate, false);
    store<f32>(out + at, load<f32>(weight + at) - f32x4.extract_lane(change, 0));
  }
}

/** Computes the change of four weights, or of one, and updates their state. */
function changeOf<Rule>(parameters: usize, gradient: v128, a: usize, b: usize, rate: v128, isFour: bool): v128 {
  if (idof<Rule>() == idof<Descent>()) return f32x4.mul(gradient, rate);
  if (idof<Rule>() != idof<Adam>()) {
    const velocity = f32x4.add(f32x4.mul(loadSome(a, isFour), share(parameters, DECAY)), gradient);
    storeSome(a, velocity, isFour);
    if (idof<Rule>() == idof<Momentum>()) return f32x4.mul(velocity, rate);
    return f32x4.mul(f32x4.add(gradient, f32x4.mul(velocity, share(parameters, DECAY))), rate);
  }
  const mean = f32x4.add(
    f32x4.mul(loadSome(a, isFour), share(parameters, DECAY)),
    f32x4.mul(gradient, share(parameters, SHARE)),
  );
  const power = f32x4.add(
    f32x4.mul(loadSome(b, isFour), share(parameters, POWER_DECAY)),
    f32x4.mul(f32x4.mul(gradient, gradient), share(parameters, POWER_SHARE)),
  );
  storeSome(a, mean, isFour);
  storeSome(b, power, isFour);
  const root = f32x4.sqrt(f32x4.div(power, share(parameters, POWER_CORRECTION)));
  return f32x4.div(f32x4.mul(mean, rate), f32x4.add(root, share(parameters, EPSILON)));
}

function share(parameters: usize, index: i32): v128 {
  return v128.load32_splat(parameters + ((<usize>index) << 2));
}

function loadSome(at: usize, isFour: bool): v128 {
  return isFour ? v128.load(at) : v128.load32_zero(at);
}

function storeSome(at: usize, values: v128, isFour: bool): void {
  if (isFour) v128.store(at, values);
  else v128.store_lane<f32>(at, values, 0);
}
