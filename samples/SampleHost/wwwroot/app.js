// Shows the finished files below the upload element.
const list = document.getElementById('finished');
const note = document.getElementById('note');
const units = ['B', 'kB', 'MB', 'GB', 'TB'];
let loading = null;

async function load() {
  let text = '';
  try {
    const response = await fetch('files', { cache: 'no-store' });
    const files = await response.json();
    list.replaceChildren(...files.map(createItem));
    text = files.length > 0 ? '' : 'No files yet. A file appears here when its upload is done.';
  } catch {
    text = 'The list could not be loaded. Reload the page to try again.';
  }

  list.dataset.loaded = '';
  note.textContent = text;
  note.hidden = text === '';
}

function createItem({ name, size, received }) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  const details = document.createElement('span');
  link.href = `files/${encodeURIComponent(name)}`;
  link.download = link.textContent = link.title = name;
  link.dir = 'auto';
  details.textContent = `${formatSize(size)} · ${new Date(received).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })}`;
  item.append(link, details);
  return item;
}

function formatSize(size) {
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(size, 1)) / 3));
  return `${Number((size / 1000 ** unit).toPrecision(3))} ${units[unit]}`;
}

/** Loads the list after the loads that are running. */
function refresh() {
  loading = Promise.resolve(loading).then(load);
}

document.addEventListener('uploadcompleted', refresh);
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && refresh());
refresh();
