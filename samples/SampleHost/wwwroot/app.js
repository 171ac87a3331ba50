import { Announcer } from './announcer.js';
import { acceptDroppedFiles } from './drop-target.js';
import { getFileId } from './file-id-protocol.js';
import { FinishedFilesView } from './finished-files-view.js';
import { OtherTabs } from './other-tabs.js';
import { UploadQueue } from './queue.js';
import { deleteSavedUpload, loadSavedUploads, saveUpload } from './saved-uploads.js';
import { shortStatusText } from './status-text.js';
import { Upload, activeStates } from './upload.js';
import { UploadsView } from './uploads-view.js';

const silentStates = new Set(['waiting', 'checking', 'cancelled']);
const endStates = new Set(['done', 'failed', 'cancelled']);

const input = document.getElementById('files');
const announcer = new Announcer(document.getElementById('live'));
const finishedFiles = new FinishedFilesView();
const queue = new UploadQueue();
const view = new UploadsView({ choose, cancel, dismiss: upload => view.remove(upload) });
const tabs = new OtherTabs(() => view.uploads.filter(upload => activeStates.has(upload.state)).map(upload => upload.id));
const deletions = new Map();
let uploadToAttach = null;

input.addEventListener('change', async () => {
  const files = [...input.files];
  // Otherwise choosing the same file again would not raise a change event.
  input.value = '';
  const upload = uploadToAttach;
  uploadToAttach = null;
  if (upload !== null && upload.state === 'choose-again' && !(await Promise.all(files.map(getFileId))).includes(upload.id)) {
    const note = 'This is another file, or the file has changed. Choose the original file to continue';
    view.showNote(upload, note);
    announcer.announce(upload.name, note);
  } else {
    addFiles(files);
  }
});
input.addEventListener('cancel', () => {
  uploadToAttach = null;
});
acceptDroppedFiles(document.getElementById('drop-overlay'), addFiles);

tabs.addEventListener('started', ({ detail }) => {
  const upload = view.find(detail.id);
  removeIfFileMissing(upload);
  upload?.takeOver();
});
tabs.addEventListener('running', ({ detail }) => removeIfFileMissing(view.find(detail.id)));
tabs.addEventListener('finished', ({ detail }) => {
  const upload = view.find(detail.id);
  removeIfFileMissing(upload);
  if (upload?.state === 'taken-over') {
    upload.completeElsewhere();
  } else {
    finishedFiles.refresh();
  }
});

addEventListener('pagehide', () => view.uploads.forEach(save));
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') {
    finishedFiles.refresh();
  }
});

loadSavedUploads().forEach(entry => add(new Upload(entry)));
tabs.requestRunning();
finishedFiles.refresh();

async function addFiles(files) {
  const ids = await Promise.all([...files].map(getFileId));
  ids.forEach((id, index) => addFile(id, files[index]));
}

async function addFile(id, file) {
  // A pending DELETE request would delete the new upload.
  await deletions.get(id);
  const known = view.find(id);
  if (known === undefined || known.state === 'done') {
    if (known !== undefined) {
      view.remove(known);
    }

    add(Upload.fromFile(id, file));
  } else if (known.state === 'waiting' || activeStates.has(known.state)) {
    announcer.announce(file.name, 'Already in the list');
  } else {
    known.attach(file);
  }
}

function add(upload) {
  let lastSaved = 0;
  upload.addEventListener('statechange', ({ detail: { from, to } }) => {
    save(upload);
    if (from === 'waiting' && to === 'checking') {
      tabs.notifyStarted(upload.id);
    }

    if (to === 'done') {
      if (from !== 'taken-over') {
        tabs.notifyFinished(upload.id);
      }

      finishedFiles.refresh();
    }

    if (!silentStates.has(to)) {
      announcer.announce(upload.name, shortStatusText(upload));
    }
  });
  upload.addEventListener('progress', () => {
    if (Date.now() - lastSaved > 1000) {
      lastSaved = Date.now();
      save(upload);
    }
  });
  save(upload);
  view.add(upload);
  queue.add(upload);
}

/** Saves an upload for the next visit. An upload that runs in another tab is saved by that tab. */
function save(upload) {
  if (endStates.has(upload.state)) {
    deleteSavedUpload(upload.id);
  } else if (upload.state !== 'taken-over' && upload.state !== 'choose-again') {
    saveUpload(upload);
  }
}

function choose(upload) {
  uploadToAttach = upload;
  input.click();
}

async function cancel(upload) {
  view.remove(upload);
  const deletion = upload.cancel();
  deletions.set(upload.id, deletion);
  const isDeleted = await deletion;
  deletions.delete(upload.id);
  announcer.announce(upload.name, isDeleted ? 'Cancelled' : 'Cancelled. The server could not be reached and will delete the upload when it expires');
}

/** Removes an upload that waits for its file, because another tab uploads the file. */
function removeIfFileMissing(upload) {
  if (upload?.state === 'choose-again') {
    view.remove(upload);
  }
}
