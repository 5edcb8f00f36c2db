// What the examples show in a terminal: progress bars with the time left, and a confusion matrix.
import { SingleBar } from 'cli-progress';

const phases = { features: 'features', head: 'head', fineTune: 'fine-tuning', evaluate: 'evaluating' };

/** Progress bars on the error stream, one for each phase; where there is no terminal, one line for each phase. */
export function progressBars() {
  let bar;
  let shown = { phase: '', done: 0 };
  const show = (phase, done, total, secondsLeft) => {
    // A phase that starts again, such as the evaluation of a second set, gets a bar of its own.
    if (phase !== shown.phase || done < shown.done) {
      bar?.stop();
      bar = process.stderr.isTTY ? startBar(phase, total) : undefined;
      if (bar === undefined) console.error(`${phase} …`);
    }
    shown = { phase, done };
    bar?.update(done, { left: secondsLeft === undefined ? '' : `${Math.ceil(secondsLeft)} s left` });
  };
  return {
    /** For `onProgress` of any verb. */
    progress: ({ phase, done, total, secondsLeft }) => show(phases[phase], done, total, secondsLeft),
    /** For anything else that counts. */
    counter: (name) => (done, total) => show(name, done, total),
    stop: () => bar?.stop(),
  };
}

function startBar(phase, total) {
  const format = '{phase} {bar} {value}/{total} {left}';
  const bar = new SingleBar({ format, barsize: 40, stream: process.stderr });
  bar.start(total, 0, { phase: phase.padEnd(12), left: '' });
  return bar;
}

/** Prints the sum of confusion matrices: a row for each actual class, a column for each predicted one. */
export function printConfusion(labels, matrices) {
  const width = Math.max(...labels.map((label) => label.length)) + 2;
  const line = (cells) => console.log(cells.map((cell) => String(cell).padStart(width)).join(''));
  console.log('Actual classes in rows, predicted ones in columns:');
  line(['', ...labels]);
  for (const [row, label] of labels.entries()) {
    const counts = labels.map((_, column) => matrices.reduce((sum, matrix) => sum + matrix[row][column], 0));
    line([label, ...counts]);
  }
}
