// What the test of dropped folders does inside the page.
import { isTransferKitError } from '../../src/index.ts';
import { droppedFiles, imageFiles } from '../../src/browser.ts';

/** What a drop gave. */
export interface Dropped {
  readonly paths: readonly string[];
  readonly classCounts: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
}

declare global {
  interface Window {
    /** Waits for the next drop on the page. */
    nextDrop?: (late?: boolean) => Promise<Dropped>;
    /** Gives what a drop never is. */
    wrongDrops?: () => Promise<readonly string[]>;
  }
}

const tell = (error: unknown): string =>
  isTransferKitError(error) ? `${error.code} ${error.message}` : `raw ${String(error)}`;

document.documentElement.style.height = '100%';
document.addEventListener('dragover', (event) => {
  event.preventDefault();
});

async function receive({ dataTransfer }: DragEvent, late: boolean): Promise<Dropped> {
  if (late) await Promise.resolve(new Promise((resolve) => setTimeout(resolve, 20)));
  const errors: string[] = [];
  const hear = (error: unknown): void => void errors.push(tell(error));
  const files = await droppedFiles(dataTransfer).catch(hear);
  try {
    if (dataTransfer !== null && !late) imageFiles(dataTransfer as unknown as File[]);
  } catch (error) {
    hear(error);
  }
  if (files === undefined) return { paths: [], classCounts: {}, errors };
  const inFolders = files.filter(({ webkitRelativePath }) => webkitRelativePath !== '');
  return {
    paths: files.map((file) => file.webkitRelativePath || file.name),
    classCounts: inFolders.length === 0 ? {} : imageFiles(inFolders).classCounts,
    errors,
  };
}

window.nextDrop = (late = false) =>
  new Promise((resolve) => {
    document.addEventListener(
      'drop',
      (event) => {
        event.preventDefault();
        resolve(receive(event, late));
      },
      { once: true },
    );
  });

window.wrongDrops = () => {
  const text = new DataTransfer();
  text.setData('text/plain', 'cat');
  return Promise.all([text, null].map((dropped) => droppedFiles(dropped).then(() => 'no error', tell)));
};
