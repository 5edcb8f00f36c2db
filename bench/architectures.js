// The networks of the bench: which works are measured on each, on how many images, and where the last blocks begin.

/** Works of the contenders, in the order in which a process does them. */
export const works = [
  'start',
  'product',
  'load',
  'loadPreset',
  'extract',
  'head',
  'headCached',
  'last',
  'lastWhole',
  'full',
  'folder',
];

/** `batch` and `images` differ where memory or time asks for it. */
export const architectures = {
  mobilenet_v2: { title: 'MobileNetV2', works, lastBlocks: 'block_14_expand' },
  vgg16: { title: 'VGG16', works: ['extract', 'last', 'full'], lastBlocks: 'block5_conv1', batch: 8, images: 32 },
  resnet50: {
    title: 'ResNet50',
    works: ['load', 'loadPreset', 'extract', 'last', 'full'],
    lastBlocks: 'conv5_block3_1_conv',
  },
  efficientnet_b0: { title: 'EfficientNetB0', works: ['extract'] },
  densenet121: { title: 'DenseNet121', works: ['extract'] },
  mobilenet_v3_large: { title: 'MobileNetV3Large', works: ['extract'] },
  convnext_tiny: { title: 'ConvNeXtTiny', works: ['extract'], images: 32 },
};

/** Networks of a quick run. */
export const quickArchitectures = ['mobilenet_v2', 'vgg16'];

/** What of the task an architecture changes. */
export function taskFor(arch, task) {
  const { batch = 16, images = task.images, lastBlocks = '' } = architectures[arch];
  return { ...task, arch, batch, images: Math.min(images, task.images), lastBlocks };
}
