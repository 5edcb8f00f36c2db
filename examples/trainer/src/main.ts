// The page: its parts from top to bottom, and what was kept from the last visit.
import { droppedFiles } from 'transferkit/browser';
import { make } from './dom.ts';
import { noticeRegion, notify, notifyError } from './notices.ts';
import { goOffline } from './offline.ts';
import { addFolders, restore } from './project.ts';
import { onStorageFailure } from './storage.ts';
import { texts } from './texts.ts';
import { baseView } from './views/base.ts';
import { headerView } from './views/header.ts';
import { labelsView } from './views/labels.ts';
import { liveView } from './views/live.ts';
import { resultView } from './views/result.ts';
import { takeAwayView } from './views/takeAway.ts';
import { trainingView } from './views/training.ts';
import { returnedView } from './views/returned.ts';

document.title = texts.title;
onStorageFailure((text) => {
  notify(text, { isProblem: true });
});
await restore();
document.body.append(
  headerView(),
  make('main', {}, returnedView(), baseView(), labelsView(), trainingView(), resultView(), liveView(), takeAwayView()),
  make('footer', {}, make('p', {}, texts.footer)),
  noticeRegion(),
);
goOffline();

// A folder may be dropped anywhere; without this the browser would leave the page and open what is dropped.
document.addEventListener('dragover', (event) => {
  event.preventDefault();
});
document.addEventListener('drop', (event) => {
  if (event.defaultPrevented) return;
  event.preventDefault();
  droppedFiles(event.dataTransfer).then(addFolders).catch(notifyError);
});
