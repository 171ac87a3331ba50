import { percent } from './format.js';
import { speedText } from './status-text.js';
import { UploadRow } from './upload-row.js';
import { activeStates } from './upload.js';

const title = document.title;
const excludedStates = new Set(['failed', 'choose-again', 'cancelled']);

/** Shows the list of uploads, the overall progress, and the progress in the page title. */
export class UploadsView {
  #rows = new Map();
  #section = document.getElementById('uploads-section');
  #list = document.getElementById('uploads');
  #overall = document.getElementById('overall');
  #pauseAll = document.getElementById('pause-all');
  #resumeAll = document.getElementById('resume-all');
  #clear = document.getElementById('clear-finished');
  #actions;

  /** @param {{choose: Function, cancel: Function, dismiss: Function}} actions each receives the upload */
  constructor(actions) {
    this.#actions = actions;
    this.#pauseAll.onclick = () => this.#forAll(upload => upload.pause(), this.#resumeAll);
    this.#resumeAll.onclick = () => this.#forAll(upload => upload.state === 'paused' && upload.queue(), this.#pauseAll);
    this.#clear.onclick = () => this.#forAll(upload => upload.state === 'done' && actions.dismiss(upload));
    // Remaining times and retry countdowns change without an event.
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

  /** Shows a note in the row of an upload. @param {import('./upload.js').Upload} upload @param {string} note */
  showNote(upload, note) {
    this.#rows.get(upload.id)?.showNote(note);
  }

  #forAll(action, nextFocus) {
    for (const upload of this.uploads) {
      action(upload);
    }

    if (document.activeElement === document.body || document.activeElement?.hidden) {
      nextFocus && !nextFocus.hidden ? nextFocus.focus() : document.getElementById('uploads-title').focus();
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
    const rows = [...this.#rows.values()].filter(row => !excludedStates.has(row.upload.state));
    const states = rows.map(row => row.upload.state);
    const done = states.filter(state => state === 'done').length;
    const unfinished = states.some(state => state === 'waiting' || activeStates.has(state));
    const size = rows.reduce((sum, row) => sum + row.upload.size, 0);
    const offset = rows.reduce((sum, row) => sum + row.upload.offset, 0);
    // Paused uploads do not count towards the remaining time.
    const remaining = rows.filter(row => row.upload.state !== 'paused').reduce((sum, row) => sum + row.upload.size - row.upload.offset, 0);
    const rates = rows.map(row => row.rate).filter(rate => rate !== null);
    const rate = rates.length > 0 ? rates.reduce((sum, each) => sum + each, 0) : null;
    const progress = done < rows.length ? `${Math.min(99, percent(offset, size))} %` : '';

    this.#section.hidden = this.#rows.size === 0;
    this.#pauseAll.hidden = !unfinished;
    this.#resumeAll.hidden = unfinished || !states.includes('paused');
    this.#clear.hidden = done === 0;
    this.#overall.textContent = [rows.length > 0 && `${done} of ${rows.length} done`, progress, unfinished && speedText(rate, remaining)]
      .filter(Boolean).join(' · ');
    document.title = progress === '' ? title : `${progress} – ${title}`;
  }
}
