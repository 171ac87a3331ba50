import { Announcer } from './announcer.js';
import { ArrivedView } from './arrived-view.js';
import { takeDrops } from './drop-target.js';
import { fileIdOf } from './file-id-protocol.js';
import { OtherTabs } from './other-tabs.js';
import { UploadQueue } from './queue.js';
import { forget, remember, remembered } from './remembered.js';
import { Upload, activeStates } from './upload.js';
import { UploadsView } from './uploads-view.js';
import { briefWords } from './words.js';

const unannounced = new Set(['waiting', 'checking', 'cancelled']);
const forgotten = new Set(['done', 'failed', 'cancelled']);

const input = document.getElementById('files');
const announcer = new Announcer(document.getElementById('live'));
const arrived = new ArrivedView();
const queue = new UploadQueue();
const view = new UploadsView({ choose, cancel, dismiss: upload => view.remove(upload) });
const tabs = new OtherTabs(() => view.uploads.filter(upload => activeStates.has(upload.state)).map(upload => upload.id));
const removals = new Map();
let chooseFor = null;

input.addEventListener('change', () => {
  const files = [...input.files];
  // Else the same file chosen again would be no change.
  input.value = '';
  const upload = chooseFor;
  chooseFor = null;
  if (upload !== null && upload.state === 'choose-again' && !files.some(file => fileIdOf(file) === upload.id)) {
    const note = 'That is another file, or it was changed since. Choose this file again to continue';
    view.say(upload, note);
    announcer.say(upload.name, note);
  } else {
    addFiles(files);
  }
});
input.addEventListener('cancel', () => {
  chooseFor = null;
});
takeDrops(document.getElementById('curtain'), addFiles);

tabs.addEventListener('taken', ({ detail }) => {
  const upload = view.find(detail.id);
  leaveToOther(upload);
  upload?.yield();
});
tabs.addEventListener('held', ({ detail }) => leaveToOther(view.find(detail.id)));
tabs.addEventListener('finished', ({ detail }) => {
  const upload = view.find(detail.id);
  leaveToOther(upload);
  if (upload?.state === 'taken-over') {
    upload.finishedElsewhere();
  } else {
    arrived.refresh();
  }
});

addEventListener('pagehide', () => view.uploads.forEach(keep));
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') {
    arrived.refresh();
  }
});

remembered().forEach(entry => add(new Upload(entry)));
tabs.ask();
arrived.refresh();

function addFiles(files) {
  for (const file of files) {
    addFile(file);
  }
}

async function addFile(file) {
  const id = fileIdOf(file);
  // A removal that is still on its way would hit the new upload.
  await removals.get(id);
  const known = view.find(id);
  if (known === undefined || known.state === 'done') {
    if (known !== undefined) {
      view.remove(known);
    }

    add(Upload.of(file));
  } else if (known.state === 'waiting' || activeStates.has(known.state)) {
    announcer.say(file.name, 'is in the list already');
  } else {
    known.attach(file);
  }
}

function add(upload) {
  let kept = 0;
  upload.addEventListener('statechange', ({ detail: { from, to } }) => {
    keep(upload);
    if (from === 'waiting' && to === 'checking') {
      tabs.take(upload.id);
    }

    if (to === 'done') {
      if (from !== 'taken-over') {
        tabs.finish(upload.id);
      }

      arrived.refresh();
    }

    if (!unannounced.has(to)) {
      announcer.say(upload.name, briefWords(upload));
    }
  });
  upload.addEventListener('progress', () => {
    if (Date.now() - kept > 1000) {
      kept = Date.now();
      keep(upload);
    }
  });
  keep(upload);
  view.add(upload);
  queue.add(upload);
}

/** What another tab continues is remembered by that tab. */
function keep(upload) {
  if (forgotten.has(upload.state)) {
    forget(upload.id);
  } else if (upload.state !== 'taken-over' && upload.state !== 'choose-again') {
    remember(upload);
  }
}

function choose(upload) {
  chooseFor = upload;
  input.click();
}

async function cancel(upload) {
  view.remove(upload);
  const removal = upload.cancel();
  removals.set(upload.id, removal);
  const told = await removal;
  removals.delete(upload.id);
  announcer.say(upload.name, told ? 'Cancelled' : 'Cancelled here. The server could not be told, and drops it later');
}

/** An upload that another tab has needs no file here. */
function leaveToOther(upload) {
  if (upload?.state === 'choose-again') {
    view.remove(upload);
  }
}
