import { bytes, date, extension } from './format.js';

/** The list of what is on the server. */
export class ArrivedView {
  #list = document.getElementById('arrived');
  #note = document.getElementById('arrived-note');
  #count = document.getElementById('arrived-count');
  #items = new Map();
  #running = null;
  #again = false;

  /** Asks the server. Calls that come while it is being asked lead to one more question, and not to one each. */
  async refresh() {
    if (this.#running !== null) {
      this.#again = true;
      return;
    }

    do {
      this.#again = false;
      this.#running = this.#load();
      await this.#running;
    } while (this.#again);
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
      this.#say('The list cannot be loaded now. It is tried again after the next upload, and when you come back to this page.');
    }
  }

  #show(files) {
    const first = this.#list.dataset.loaded === undefined;
    const before = this.#items;
    this.#items = new Map();
    for (const file of files) {
      // An item that stays is the same element, so that the focus stays on it.
      const key = JSON.stringify([file.name, file.size, file.received]);
      this.#items.set(key, before.get(key) ?? itemOf(file, !first));
    }

    for (const [key, item] of before) {
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
    this.#say(files.length > 0 ? '' : 'Nothing has arrived yet. Files appear here as soon as the server has all of them.');
  }

  #say(note) {
    this.#note.textContent = note;
    this.#note.hidden = note === '';
  }
}

function itemOf({ name, size, received }, isNew) {
  const item = document.getElementById('arrived-row').content.firstElementChild.cloneNode(true);
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
