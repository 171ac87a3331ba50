import { percent } from './format.js';
import { UploadRow } from './upload-row.js';
import { activeStates } from './upload.js';
import { pace } from './words.js';

const title = document.title;
const idle = new Set(['failed', 'choose-again', 'cancelled']);

/** The list of uploads, the line above it, and the title of the page. */
export class UploadsView {
  #rows = new Map();
  #section = document.getElementById('uploads-section');
  #list = document.getElementById('uploads');
  #overall = document.getElementById('overall');
  #pauseAll = document.getElementById('pause-all');
  #resumeAll = document.getElementById('resume-all');
  #clear = document.getElementById('clear-finished');
  #actions;

  /** @param {{choose: Function, cancel: Function, dismiss: Function}} actions each is given the upload */
  constructor(actions) {
    this.#actions = actions;
    this.#pauseAll.onclick = () => this.#all(upload => upload.pause(), this.#resumeAll);
    this.#resumeAll.onclick = () => this.#all(upload => upload.state === 'paused' && upload.queue(), this.#pauseAll);
    this.#clear.onclick = () => this.#all(upload => upload.state === 'done' && actions.dismiss(upload));
    // Times left and waits go on while nothing happens.
    setInterval(() => this.#tick(), 1000);
  }

  /** @param {string} id @returns {import('./upload.js').Upload|undefined} */
  find(id) {
    return this.#rows.get(id)?.upload;
  }

  /** @returns {import('./upload.js').Upload[]} */
  get uploads() {
    return [...this.#rows.values()].map(row => row.upload);
  }

  /** @param {import('./upload.js').Upload} upload */
  add(upload) {
    const row = new UploadRow(upload, this.#actions);
    this.#rows.set(upload.id, row);
    this.#list.append(row.element);
    for (const event of ['statechange', 'progress']) {
      upload.addEventListener(event, () => this.#showOverall());
    }

    this.#showOverall();
  }

  /** @param {import('./upload.js').Upload} upload */
  remove(upload) {
    const row = this.#rows.get(upload.id);
    if (row?.upload !== upload) {
      return;
    }

    const focused = row.element.contains(document.activeElement);
    const rows = [...this.#rows.values()];
    const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
    this.#rows.delete(upload.id);
    row.element.remove();
    this.#showOverall();
    if (focused) {
      next ? next.focus() : document.getElementById('files').focus();
    }
  }

  /** Says something in an upload's row. @param {import('./upload.js').Upload} upload @param {string} note */
  say(upload, note) {
    this.#rows.get(upload.id)?.say(note);
  }

  #all(action, thenFocus) {
    for (const upload of this.uploads) {
      action(upload);
    }

    if (document.activeElement === document.body || document.activeElement?.hidden) {
      thenFocus && !thenFocus.hidden ? thenFocus.focus() : document.getElementById('uploads-title').focus();
    }
  }

  #tick() {
    const running = [...this.#rows.values()].filter(row => activeStates.has(row.upload.state));
    for (const row of running) {
      row.show();
    }

    if (running.length > 0) {
      this.#showOverall();
    }
  }

  #showOverall() {
    const rows = [...this.#rows.values()].filter(row => !idle.has(row.upload.state));
    const states = rows.map(row => row.upload.state);
    const done = states.filter(state => state === 'done').length;
    const unfinished = states.some(state => state === 'waiting' || activeStates.has(state));
    const size = rows.reduce((sum, row) => sum + row.upload.size, 0);
    const offset = rows.reduce((sum, row) => sum + row.upload.offset, 0);
    // What is paused takes no time.
    const left = rows.filter(row => row.upload.state !== 'paused').reduce((sum, row) => sum + row.upload.size - row.upload.offset, 0);
    const rates = rows.map(row => row.rate).filter(rate => rate !== null);
    const rate = rates.length > 0 ? rates.reduce((sum, each) => sum + each, 0) : null;
    const share = done < rows.length ? `${Math.min(99, percent(offset, size))} %` : '';

    this.#section.hidden = this.#rows.size === 0;
    this.#pauseAll.hidden = !unfinished;
    this.#resumeAll.hidden = unfinished || !states.includes('paused');
    this.#clear.hidden = done === 0;
    this.#overall.textContent = [rows.length > 0 && `${done} of ${rows.length} done`, share, unfinished && pace(rate, left)]
      .filter(Boolean).join(' · ');
    document.title = share === '' ? title : `${share} – ${title}`;
  }
}
