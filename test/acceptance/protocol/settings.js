// Every setting that the protocol tries, as a function from the number of training pictures to options of fineTune.
import { cosine, oneCycle, warmUp } from 'transferkit/schedules';

const batchSize = 32;
/** Without a held-out part and a blend: these are judged apart. */
const alone = { validation: false, blend: false, augment: 'none' };

/**
 * Rates that grow with the number of steps up to 500, with a warm-up and then half a cosine.
 *
 * @param changes - `epochs`; `share` of the highest rate 1e-3; `head`: the head's rate divided by that of the base's last
 * stage; `from`: the first layer that is unfrozen; `rise`: share of the run that warms up; `options` beside these.
 */
function warm({ epochs = 10, share = 1, head = 0.1, from = 'block_3_expand', rise = 0.2, options = {} } = {}) {
  return ({ examples }) => {
    const steps = Math.ceil(examples / batchSize) * epochs;
    const rate = 1e-3 * share * Math.min(1, steps / 500);
    return {
      ...alone,
      epochs,
      learningRate: { base: [rate / 10, rate], head: rate * head },
      schedule: warmUp(cosine(), { steps: rise, from: 0.01 }),
      ...(from === undefined ? {} : { unfreeze: { from } }),
      ...options,
    };
  };
}

/** The default rates times a factor. */
function scaled(factor) {
  return ({ examples }) => {
    const rate = factor * 1e-3 * Math.min(1, Math.max(0.05, (Math.ceil(examples / batchSize) * 10) / 1500));
    return { epochs: 10, learningRate: { base: [rate / 10, rate], head: rate / 10 } };
  };
}

function rising(steps) {
  return { name: 'cosine', warmUp: { steps, from: 0.01 } };
}

const light = { augment: 'light', views: 3 };

/** By name. */
export const settings = {
  defaults: () => ({}),
  'defaults, rates × 0.3': scaled(0.3),
  'defaults, rise 0.2': () => ({ schedule: rising(0.2) }),
  'defaults, without validation': () => ({ validation: false }),
  'defaults, 5 epochs': () => ({ epochs: 5 }),
  'one cycle, 5 epochs, all': ({ examples }) => {
    const rate = 1e-3 * Math.min(1, Math.max(0.1, (Math.ceil(examples / batchSize) * 5) / 500));
    const learningRate = { base: [rate / 10, rate], head: rate };
    return { ...alone, epochs: 5, schedule: oneCycle(), unfreeze: 'base', learningRate };
  },
  warm: warm(),
  'warm, light': warm({ options: light }),
  'warm, light, head 1': warm({ head: 1, options: light }),
  'warm, light, rates × 0.3': warm({ share: 0.3, options: light }),
  'warm, light, smoothing': warm({ options: { ...light, labelSmoothing: 0.1 } }),
  'warm, light, averages': warm({ options: { ...light, ema: { decay: 0.95 } } }),
  'warm, light, slow rise': warm({ rise: 0.4, options: light }),
};
