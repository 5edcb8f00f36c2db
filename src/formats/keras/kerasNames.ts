// Converts names of weights and layers in Keras files of all versions to those of Keras 3's applications and of tfjs.

/** Names of Keras 1. `running_std` holds the variance: Keras 1 passes it as variance to batch_normalization. */
const oldNames: Readonly<Record<string, string>> = {
  W: 'kernel',
  b: 'bias',
  U: 'recurrent_kernel',
  running_mean: 'moving_mean',
  running_std: 'moving_variance',
  alphas: 'alpha',
};

/** `inner_W` in the group of the layer that wraps `inner`: Keras 1 uses no slashes. */
const oldInner = /^(.+)_(W|b|gamma|beta|running_mean|running_std|alphas|depthwise_kernel|pointwise_kernel)(?:_\d+)?$/;

/** Names of weights in the order of their numbers in Keras 3, for layers whose weights cannot be derived otherwise. */
const numbered: Readonly<Record<string, readonly string[]>> = {
  lstm: ['kernel', 'recurrent_kernel', 'bias'],
  gru: ['kernel', 'recurrent_kernel', 'bias'],
  simple_rnn: ['kernel', 'recurrent_kernel', 'bias'],
  conv_lstm2d: ['kernel', 'recurrent_kernel', 'bias'],
  embedding: ['embeddings'],
  dense: ['kernel', 'bias'],
  conv1d: ['kernel', 'bias'],
  conv2d: ['kernel', 'bias'],
  depthwise_conv2d: ['depthwise_kernel', 'bias'],
  separable_conv2d: ['depthwise_kernel', 'pointwise_kernel', 'bias'],
  layer_normalization: ['gamma', 'beta'],
  batch_normalization: ['gamma', 'beta', 'moving_mean', 'moving_variance'],
  p_re_lu: ['alpha'],
  conv2d_transpose: ['kernel', 'bias'],
  conv3d: ['kernel', 'bias'],
  conv3d_transpose: ['kernel', 'bias'],
};

/** Path and own name of a weight in a legacy file. */
export interface WeightName {
  /** Names of the layers that contain it, joined by slashes. */
  readonly path: string;
  readonly own: string;
}

/**
 * Splits the name of a weight in a legacy file: `conv1/kernel:0`, `conv1_W_1:0` (Keras 1), `inner/conv/kernel` (Keras
 * 3).
 *
 * @param group - Its group: the name of a layer of the outermost model.
 */
export function splitWeightName(group: string, name: string): WeightName {
  const plain = name.replace(/:\d+$/, '');
  const slash = plain.lastIndexOf('/');
  const isOld = slash < 0 && plain.startsWith(`${group}_`);
  const [, inner, innerOwn] = (slash < 0 && !isOld ? oldInner.exec(plain) : undefined) ?? [];
  if (inner !== undefined && innerOwn !== undefined) return { path: `${group}/${inner}`, own: ownName(innerOwn) };
  const own = isOld ? plain.slice(group.length + 1) : plain.slice(slash + 1);
  const prefix = slash < 0 ? '' : plain.slice(0, slash);
  // A Sequential of Keras 3 adds its own name before the others: `line/conv/kernel` in the group `conv`.
  const inside = `/${prefix}/`.indexOf(`/${group}/`);
  const path = inside < 0 ? `${group}/${prefix}` : prefix.slice(inside);
  return { path: prefix === '' ? group : path, own: ownName(own) };
}

/** `W_1` → `kernel`, `gamma_12` → `gamma`. */
function ownName(name: string): string {
  const plain = name.replace(/_\d+$/, '');
  return oldNames[plain] ?? plain;
}

/**
 * Returns the own name of a numbered weight in a layer of a class, given in snake case.
 *
 * @param count - Number of weights of the layer: a normalisation may lack some, and it is unknown which.
 */
export function numberedName(kind: string, index: number, count: number): string | undefined {
  const names = numbered[kind.replace(/_cell$/, '')];
  return kind.endsWith('normalization') && names?.length !== count ? undefined : names?.[index];
}

/** Layers of this package that have another name in Keras. */
const kerasClasses: Readonly<Record<string, string>> = {
  DilatedDepthwiseConv2D: 'DepthwiseConv2D',
  GroupedConv2D: 'Conv2D',
  GRUResetAfter: 'GRU',
};

/** A class as files of Keras 3 name it: `SeparableConv2D` → `separable_conv2d`. */
export function kindOf(className: string): string {
  return (kerasClasses[className] ?? className)
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** A family of published files whose layers have other names than in Keras 3's applications. */
interface Family {
  readonly is: (names: ReadonlySet<string>) => boolean;
  readonly rename: (name: string) => string;
}

/** The old ResNet50 names blocks by letters within stages: `res3b_branch2c` → `conv3_block2_3_conv`. */
function renameOldResNet(name: string): string {
  const [, kind, stage = '', block = '', branch = '', part] =
    /^(res|bn)(\d)([a-z])_branch(\d)([a-c])?$/.exec(name) ?? [];
  if (kind !== undefined) {
    const number = branch === '1' ? 0 : 'abc'.indexOf(part ?? '') + 1;
    return `conv${stage}_block${String('abcdefghij'.indexOf(block) + 1)}_${String(number)}_${kind === 'bn' ? 'bn' : 'conv'}`;
  }
  return { conv1: 'conv1_conv', bn_conv1: 'conv1_bn', fc1000: 'predictions' }[name] ?? name;
}

/**
 * `mobl3_conv_3_expand` → `block_3_expand`, `bn3_conv_3_bn_expand` → `block_3_expand_BN`; block 0 is `expanded_conv`.
 */
function renameMobileNetV2(name: string): string {
  const [, block = '', bn, part = ''] = /^(?:mobl|bn)(\d+)_conv_\d+_(bn_)?(expand|depthwise|project)$/.exec(name) ?? [];
  if (part === '') return name === 'Logits' ? 'predictions' : name;
  return `${block === '0' ? 'expanded_conv' : `block_${block}`}_${part}${bn === undefined ? '' : '_BN'}`;
}

/** Keras 2 numbers unnamed layers from 1; Keras 3 from 0, and omits the 0. */
function countFromZero(name: string): string {
  const [, kind, number] = /^(conv(?:olution)?2d|batch_?normalization)_(\d+)$/.exec(name) ?? [];
  if (kind === undefined) return name;
  const modern = kind.startsWith('conv') ? 'conv2d' : 'batch_normalization';
  return number === '1' ? modern : `${modern}_${String(Number(number) - 1)}`;
}

/** `Conv/BatchNorm` → `conv_bn`, `expanded_conv/squeeze_excite/Conv_1` → `expanded_conv_squeeze_excite_conv_1`. */
function renameMobileNetV3(name: string): string {
  return name
    .replaceAll('/', '_')
    .replace(/BatchNorm$/, 'bn')
    .replace(/(^|_)Conv/g, '$1conv')
    .replace(/^Logits$/, 'logits');
}

const families: readonly Family[] = [
  { is: (names) => names.has('res2a_branch2a'), rename: renameOldResNet },
  { is: (names) => names.has('mobl0_conv_0_depthwise'), rename: renameMobileNetV2 },
  {
    // DenseNet
    is: (names) => names.has('conv1/conv'),
    rename: (name) => (name === 'fc1000' ? 'predictions' : name.replace(/^conv1\//, 'conv1_')),
  },
  { is: (names) => names.has('Conv/BatchNorm'), rename: renameMobileNetV3 },
  {
    // InceptionV3, InceptionResNetV2, Xception
    is: (names) =>
      (names.has('conv2d_1') && !names.has('conv2d')) || (names.has('convolution2d_1') && names.has('block1_conv1')),
    rename: countFromZero,
  },
  // ResNets of the first tf.keras versions
  {
    is: (names) => names.has('conv1_conv') && names.has('probs'),
    rename: (name) => (name === 'probs' ? 'predictions' : name),
  },
];

/** Returns the renaming of the layers of a published file; undefined where no renaming is needed. */
export function familyOf(names: ReadonlySet<string>): ((name: string) => string) | undefined {
  return families.find(({ is }) => is(names))?.rename;
}
