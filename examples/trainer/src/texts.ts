// Every text of the page. Another language is another file of this shape.
import type { ErrorCode } from 'transferkit';
import type { Scaling } from './bases.ts';
import type { Refused } from './pictures.ts';
import type { Depth, Work } from './state.ts';

const count = (number: number, one: string, many: string): string => `${String(number)} ${number === 1 ? one : many}`;
const pictures = (number: number): string => count(number, 'picture', 'pictures');
/** What is nearly nothing or everything is not called that. */
const percent = (share: number): string => {
  if (share > 0 && share < 0.005) return '< 1 %';
  return share < 1 && share >= 0.995 ? '> 99 %' : `${(share * 100).toFixed(0)} %`;
};

const steps: Readonly<Record<Work['step'], string>> = {
  starting: 'Starting',
  base: 'Loading the base',
  features: 'Looking at the pictures',
  head: 'Training the new layer',
  fineTune: 'Training',
  evaluate: 'Testing',
};

const depths: Readonly<Record<Depth, string>> = {
  head: 'The new layer only — a few seconds',
  end: 'The new layer and the end of the base — slower, often better',
};

const scalingNames: Readonly<Record<Scaling, string>> = {
  tf: '−1 to 1 (MobileNet, Inception, Xception)',
  unit: '0 to 1 (TF Hub)',
  torch: 'ImageNet mean and deviation (PyTorch, DenseNet)',
  caffe: 'BGR minus mean (VGG, ResNet50)',
  raw: '0 to 255 (EfficientNet)',
};

const byCode: Partial<Record<ErrorCode, string>> = {
  BACKEND_LOST: 'The graphics card was taken away from this page. What was trained is kept: go on.',
  BACKEND_UNAVAILABLE: 'This browser cannot compute here.',
  BUSY: 'Another tab of this page is training. Stop it there, or close that tab.',
  CAMERA_UNAVAILABLE: 'The camera cannot be used.',
  CHECKPOINT_MISMATCH:
    'The interrupted training belongs to other pictures or settings. Train again from the beginning.',
  LOSS_NOT_FINITE: 'The training went astray.',
  NOT_A_MODEL: 'This file is not a model, or it is damaged.',
  NOT_FOUND: 'A file is missing.',
  OUT_OF_MEMORY: 'There is not enough memory. Close other tabs, or train the new layer only.',
  PREPROCESSOR_UNKNOWN: 'The model does not say how it wants pixels. Choose it below, then train again.',
  SAVE_FAILED: 'The browser could not keep it. Free some space, and download what matters.',
  TOO_FEW_EXAMPLES: 'There are too few pictures. Add some to every label.',
  UNREADABLE: 'A picture cannot be read.',
  UNSUPPORTED_LAYER: 'This network has a part that cannot be trained here.',
  UNSUPPORTED_SOURCE: 'This kind of model cannot be used.',
  WEIGHTS_DAMAGED: 'The weights of the model are damaged. Open the file again.',
  WORKER_LOST: 'The browser ended the computation, perhaps for want of memory. What was trained is kept: go on.',
};

/** The texts, by the part of the page that shows them. */
export const texts = {
  title: 'Trainer',
  lead: 'Teach a picture classifier in this page. Nothing leaves your device.',
  undo: 'Undo',
  close: 'Close',
  notices: 'Messages',
  runsOn: (backend: string): string => `Runs on ${backend}`,
  returned: (labels: number, number: number): string =>
    `Welcome back. Here are ${count(labels, 'label', 'labels')} and ${pictures(number)} from your last visit.`,
  interrupted: (done: number, epochs: number): string =>
    `Training was interrupted after ${String(done)} of ${String(epochs)} rounds.`,
  goOnTraining: 'Go on training',
  startAnew: 'Start anew',
  startAnewSure: 'Remove all labels, pictures and the trained model from this browser?',
  keepWorking: 'Go on',

  base: {
    heading: 'Base',
    hint: 'A network that has already learnt to see. Yours builds on it.',
    choose: 'Network',
    none: 'No network lies beside this page. Open one.',
    opened: (name: string): string => `${name} (opened)`,
    open: 'Open a model…',
    openHint: 'A .zip, or model.json with its weight files',
    notModel: 'Choose one .zip, or one model.json together with its .bin files.',
    scaling: 'Pixels as',
    scalingNames,
    scalingOfModel: 'As the model says',
  },

  labels: {
    heading: 'Labels and pictures',
    hint: 'Give each label 20 pictures or more, as varied as what it will see later. Drop files on a label, or a folder with a subfolder for each label anywhere.',
    first: ['Label 1', 'Label 2'],
    numbered: (number: number): string => `Label ${String(number)}`,
    name: 'Name of the label',
    add: 'Add a label',
    folder: 'Open a folder…',
    remove: (name: string): string => `Remove ${name}`,
    removed: (name: string, number: number): string => `${name} was removed with ${pictures(number)}.`,
    camera: 'Camera',
    files: 'Files…',
    cameraOf: (name: string): string => `Camera for ${name}`,
    filesOf: (name: string): string => `Add files to ${name}`,
    hold: 'Hold to capture',
    holding: 'Capturing…',
    closeCamera: 'Close the camera',
    starting: 'Starting the camera…',
    flip: 'Other camera',
  },

  pictures: {
    count: pictures,
    empty: 'No pictures yet',
    listOf: (name: string): string => `Pictures of ${name}`,
    remove: (number: number, name: string): string => `Remove picture ${String(number)} of ${name}`,
    removed: 'The picture was removed.',
    showAll: (number: number): string => `Show all ${String(number)}`,
    showFew: 'Show fewer',
    reading: (done: number, total: number): string => `Reading ${String(done)} of ${String(total)} files`,
  },

  files: {
    empty: 'it is empty',
    notPicture: 'it is not a picture that this browser can read',
    tooLarge: 'it has more than 100 million pixels',
    none: 'There is nothing in it.',
    noFolder: 'Drop files on the label that they belong to, or drop a folder with a subfolder for each label.',
    refused: (refused: readonly Refused[], total: number): string => {
      const shown = refused.slice(0, 3).map(({ name, reason }) => `${name}: ${reason}`);
      const more = refused.length > 3 ? `, and ${String(refused.length - 3)} more` : '';
      const left =
        total === 1 ? 'It was left out' : `${String(refused.length)} of ${String(total)} files were left out`;
      return `${left}. ${shown.join('; ')}${more}.`;
    },
  },

  training: {
    heading: 'Training',
    depth: 'What is trained',
    depths,
    epochs: 'Rounds',
    start: 'Train',
    again: 'Train again',
    stop: 'Stop',
    goOn: 'Go on',
    needs: 'Two labels with at least 5 pictures each are needed.',
    needsBase: 'Choose a base first.',
    steps,
    stopping: 'Stopping after this step',
    progress: 'Progress of training',
    secondsLeft: (seconds: number): string =>
      seconds < 90
        ? `about ${String(Math.max(1, Math.round(seconds)))} s left`
        : `about ${String(Math.round(seconds / 60))} min left`,
    stopped: (done: number, epochs: number): string => `Stopped after ${String(done)} of ${String(epochs)} rounds.`,
    done: (epochs: number): string =>
      epochs === 0 ? 'The new layer is trained.' : `Trained for ${count(epochs, 'round', 'rounds')}.`,
    changed: 'Labels, pictures or settings have changed since. Train again to include them.',
    loss: 'Error',
    accuracy: 'Accuracy',
    own: 'pictures that it learns from',
    other: 'pictures kept aside',
    curve: (name: string, own: string, other: string | undefined): string =>
      other === undefined
        ? `${name} by round; now ${own} on the pictures that it learns from.`
        : `${name} by round; now ${own} on the pictures that it learns from, ${other} on those kept aside.`,
    percent,
  },

  result: {
    heading: 'How good is it?',
    accuracy: (share: number, examples: number): string =>
      `${percent(share)} of ${pictures(examples)} that were kept aside are recognised.`,
    caution:
      'Pictures taken in one go resemble each other, so that this number flatters. Try it with something new below.',
    confusion: 'What was taken for what',
    actual: 'Is',
    predicted: 'Taken for',
    cell: (number: number, actual: string, predicted: string): string =>
      `${String(number)} of ${actual} taken for ${predicted}`,
    worst: 'Worst mistakes',
    noMistakes: 'No mistakes on the pictures that were kept aside.',
    mistake: (actual: string, predicted: string, probability: number): string =>
      `${actual}, taken for ${predicted} (${percent(probability)})`,
  },

  live: {
    heading: 'Try it',
    camera: 'Use the camera',
    stop: 'Stop the camera',
    file: 'Choose a picture…',
    drop: 'or drop one here',
    alt: 'The picture to recognise',
    percent,
    answer: (label: string, probability: number): string => `${label}, ${percent(probability)}`,
    answers: 'What it sees',
  },

  takeAway: {
    heading: 'Take it with you',
    name: 'Name',
    usual: 'my-model',
    model: 'Download the model (.zip)',
    features: 'Download the features (.json)',
    featuresHint: 'What the base sees in each picture: for knn of transferkit, or for a program of your own.',
    inNode: 'In Node',
    inPage: 'In a page',
    copy: 'Copy',
    copied: 'Copied.',
    codeOf: (place: string): string => `${place}: program`,
    working: 'Preparing the file…',
  },

  storage: {
    full: 'The browser has no room for more. What is here stays until the page is closed: remove pictures, or free space.',
    none: 'This window keeps nothing: labels and pictures are gone when it is closed. Download the model when it is trained.',
    cleared:
      'What this page had stored was removed. Labels and pictures stay until the page is closed: download the model when it is trained.',
  },

  errors: {
    byCode,
    detail: (text: string): string => `(${text})`,
    unknown: (text: string): string => `Something went wrong: ${text}`,
  },

  footer: 'Made with transferkit and TensorFlow.js. Works offline once it has been opened.',
};
