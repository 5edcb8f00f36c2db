// Names in published files against those of Keras 3's applications: a few of each family, and all of them where the
// data folder is at hand.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { familyOf, splitWeightName } from '../../src/formats/keras/kerasNames.ts';

const maps = join(process.env.TRANSFERKIT_DATA ?? '', 'keras', 'name_maps.json');

describe('families of layer names', () => {
  test.each<[string, string[], string[]]>([
    [
      'the old ResNet50',
      ['conv1', 'bn_conv1', 'res2a_branch2a', 'res2a_branch1', 'bn4f_branch2c', 'bn3d_branch2b', 'fc1000'],
      [
        'conv1_conv',
        'conv1_bn',
        'conv2_block1_1_conv',
        'conv2_block1_0_conv',
        'conv4_block6_3_bn',
        'conv3_block4_2_bn',
        'predictions',
      ],
    ],
    [
      'MobileNetV2',
      [
        'Conv1',
        'mobl0_conv_0_depthwise',
        'bn0_conv_0_bn_project',
        'mobl16_conv_16_expand',
        'bn16_conv_16_bn_expand',
        'Conv_1_bn',
        'Logits',
      ],
      [
        'Conv1',
        'expanded_conv_depthwise',
        'expanded_conv_project_BN',
        'block_16_expand',
        'block_16_expand_BN',
        'Conv_1_bn',
        'predictions',
      ],
    ],
    [
      'Inception, counted from one',
      ['conv2d_1', 'conv2d_94', 'batch_normalization_2', 'predictions'],
      ['conv2d', 'conv2d_93', 'batch_normalization_1', 'predictions'],
    ],
    [
      'Xception of Keras 1',
      ['block1_conv1', 'convolution2d_1', 'batchnormalization_4', 'block2_sepconv1'],
      ['block1_conv1', 'conv2d', 'batch_normalization_3', 'block2_sepconv1'],
    ],
    [
      'DenseNet',
      ['conv1/conv', 'conv1/bn', 'conv2_block1_0_bn', 'fc1000'],
      ['conv1_conv', 'conv1_bn', 'conv2_block1_0_bn', 'predictions'],
    ],
    [
      'MobileNetV3',
      [
        'Conv',
        'Conv/BatchNorm',
        'expanded_conv/squeeze_excite/Conv_1',
        'expanded_conv_1/depthwise/BatchNorm',
        'Conv_2',
        'Logits',
      ],
      ['conv', 'conv_bn', 'expanded_conv_squeeze_excite_conv_1', 'expanded_conv_1_depthwise_bn', 'conv_2', 'logits'],
    ],
  ])('%s', (_, names, expected) => {
    const rename = familyOf(new Set(names));
    expect(names.map((name) => rename?.(name))).toEqual(expected);
  });

  test('the new ResNet50, VGG and MobileNet keep their names', () => {
    expect(familyOf(new Set(['conv1_conv', 'conv1_bn', 'conv2_block1_0_conv', 'predictions']))).toBeUndefined();
    expect(familyOf(new Set(['block1_conv1', 'fc1', 'predictions']))).toBeUndefined();
    expect(familyOf(new Set(['conv1', 'conv1_bn', 'conv_dw_1', 'conv_preds']))).toBeUndefined();
  });

  test.skipIf(!existsSync(maps))('every pair of the data folder', () => {
    const families = JSON.parse(readFileSync(maps, 'utf8')) as Record<string, [string, string][]>;
    for (const [family, list] of Object.entries(families)) {
      const pairs = Array.isArray(list) ? list : Object.entries<string>(list);
      const rename = familyOf(new Set(pairs.map(([name]) => name))) ?? ((name: string) => name);
      const wrong = pairs.filter(([name, expected]) => rename(name) !== expected);
      expect(wrong, family).toEqual([]);
    }
  });
});

test.each([
  ['conv1', 'conv1/kernel:0', 'conv1', 'kernel'],
  ['conv1', 'conv1_W_1:0', 'conv1', 'kernel'],
  ['bn_conv1', 'bn_conv1_running_std:0', 'bn_conv1', 'moving_variance'],
  ['each', 'inner_1_W', 'each/inner_1', 'kernel'],
  ['p', 'p_alphas', 'p', 'alpha'],
  ['conv1/conv', 'conv1/conv/kernel:0', 'conv1/conv', 'kernel'],
  ['net', 'conv1/kernel:0', 'net/conv1', 'kernel'],
  ['net', 'net/conv1/kernel', 'net/conv1', 'kernel'],
  ['conv', 'line/conv/kernel', 'conv', 'kernel'],
  ['dense', 'dense_1/kernel_3:0', 'dense/dense_1', 'kernel'],
])('in the group %s, %s is a weight of %s', (group, name, path, own) => {
  expect(splitWeightName(group, name)).toEqual({ path, own });
});
