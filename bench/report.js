// Prints the results of a run.
import { growthTable } from './growth.js';
import { errorLines, figureTable, goalTable, ratioTable } from './table.js';

export function printResults({ machine, task, contenders, figures, growth, verdicts }) {
  const { processor, vectorUnits = 'vector units unknown', cores, memory, system } = machine;
  console.log(`${processor} (${vectorUnits}), ${cores} cores, ${memory}, ${system}`);
  for (const { name, about, threads } of contenders) console.log(`${name}: ${about}${threadsOf(threads)}`);
  const { images, size, batch, epochs, rounds, pictures } = task;
  console.log(`${images} images of ${size} × ${size}, batch ${batch}, ${epochs} epochs of a head, ${pictures} JPEGs`);
  console.log(`best of ${rounds} rounds; + is how far the worst round was above it\n`);
  const archs = new Set(figures.flatMap(({ arch }) => arch ?? []));
  for (const arch of archs) {
    console.log(`${figureTable(arch, figures, contenders)}\n\n${ratioTable(arch, figures, contenders)}\n`);
  }
  for (const line of errorLines(figures, contenders)) console.log(line);
  for (const { work, contender, unit, best } of figures.filter(({ arch }) => arch === undefined)) {
    console.log(`${work}, ${contender}: ${best.toFixed(2)} ${unit}`);
  }
  if (growth !== undefined) console.log(`\n${growthTable(growth)}`);
  console.log(`\n${goalTable(verdicts)}`);
}

function threadsOf(threads) {
  return threads === undefined ? '' : `, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
