import { bytes, date, extension } from './format.js';

/** Shows the list of finished files. */
export class FinishedFilesView {
  #list = document.getElementById('finished-files');
  #note = document.getElementById('finished-files-note');
  #count = document.getElementById('finished-files-count');
  #items = new Map();
  #running = null;
  #isStale = false;

  /** Loads the list again. Calls during a request lead to one more request in total. */
  async refresh() {
    if (this.#running !== null) {
      this.#isStale = true;
      return;
    }

    do {
      this.#isStale = false;
      this.#running = this.#load();
      await this.#running;
    } while (this.#isStale);
    this.#running = null;
  }

  async #load() {
    try {
      const response = await fetch('files', { cache: 'no-store', signal: AbortSignal.timeout(20_000) });
      if (!response.ok) {
        throw new Error(`${response.status}`);
      }

      this.#show(await response.json());
    } catch {
      this.#showNote('The list could not be loaded. It is loaded again after the next upload and when you return to this page.');
    }
  }

  #show(files) {
    const isFirst = this.#list.dataset.loaded === undefined;
    const previous = this.#items;
    this.#items = new Map();
    for (const file of files) {
      // Reuse the elements of unchanged files, so that they keep the focus.
      const key = JSON.stringify([file.name, file.size, file.received]);
      this.#items.set(key, previous.get(key) ?? createItem(file, !isFirst));
    }

    for (const [key, item] of previous) {
      if (!this.#items.has(key)) {
        item.remove();
      }
    }

    [...this.#items.values()].forEach((item, index) => {
      if (this.#list.children[index] !== item) {
        this.#list.insertBefore(item, this.#list.children[index] ?? null);
      }
    });
    this.#list.dataset.loaded = '';
    this.#count.textContent = files.length > 0 ? `${files.length}` : '';
    this.#showNote(files.length > 0 ? '' : 'No files yet. A file appears here when its upload is done.');
  }

  #showNote(note) {
    this.#note.textContent = note;
    this.#note.hidden = note === '';
  }
}

function createItem({ name, size, received }, isNew) {
  const item = document.getElementById('finished-file-row').content.firstElementChild.cloneNode(true);
  const link = item.querySelector('a');
  const time = item.querySelector('time');
  item.dataset.name = name;
  item.classList.toggle('new', isNew);
  item.querySelector('.badge').textContent = extension(name);
  item.querySelector('bdi').textContent = name;
  item.querySelector('.amount').textContent = bytes(size);
  link.href = `files/${encodeURIComponent(name)}`;
  link.download = name;
  link.title = name;
  link.setAttribute('aria-label', `${name}, download`);
  time.dateTime = received;
  time.textContent = date(new Date(received));
  return item;
}
