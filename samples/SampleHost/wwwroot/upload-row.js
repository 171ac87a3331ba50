import { extension } from './format.js';
import { Rate } from './rate.js';
import { progressText, speedText, statusText } from './status-text.js';
import { activeStates } from './upload.js';

const resumeTexts = { paused: 'Resume', 'taken-over': 'Resume', retrying: 'Retry now', failed: 'Retry' };

/** Shows one upload. */
export class UploadRow {
  #rate = new Rate();
  #parts = {};
  #note = '';

  /**
   * @param {import('./upload.js').Upload} upload
   * @param {{choose: Function, cancel: Function, dismiss: Function}} actions each receives the upload
   */
  constructor(upload, actions) {
    this.upload = upload;
    this.element = document.getElementById('upload-row').content.firstElementChild.cloneNode(true);
    for (const part of ['bdi', '.status', '.amount', '.speed', 'progress']) {
      this.#parts[part.replace('.', '')] = this.element.querySelector(part);
    }

    for (const action of ['choose', 'resume', 'pause', 'cancel', 'dismiss']) {
      this.#parts[action] = this.element.querySelector(`[data-testid=${action}]`);
    }

    const { bdi, progress, choose, resume, pause, cancel, dismiss } = this.#parts;
    bdi.textContent = upload.name;
    bdi.parentElement.title = upload.name;
    this.element.dataset.name = upload.name;
    this.element.querySelector('.badge').textContent = extension(upload.name);
    progress.max = upload.size || 1;
    progress.setAttribute('aria-label', upload.name);
    choose.onclick = () => actions.choose(upload);
    pause.onclick = () => upload.pause();
    resume.onclick = () => (upload.state === 'retrying' ? upload.retryNow() : upload.queue());
    cancel.onclick = () => actions.cancel(upload);
    dismiss.onclick = () => actions.dismiss(upload);

    upload.addEventListener('statechange', ({ detail }) => {
      this.#note = '';
      this.#rate.reset();
      if (detail.to === 'uploading') {
        this.#rate.add(upload.offset);
      }

      this.#showState();
    });
    upload.addEventListener('progress', () => {
      if (upload.state === 'uploading') {
        this.#rate.add(upload.offset);
      }

      this.show();
    });
    this.#showState();
  }

  /** The upload rate in bytes per second, or null. */
  get rate() {
    return this.upload.state === 'uploading' ? this.#rate.perSecond() : null;
  }

  /** Shows a note instead of the status text until the state changes. @param {string} note */
  showNote(note) {
    this.#note = note;
    this.show();
  }

  /** Updates the numbers and times. */
  show() {
    const { upload, element } = this;
    const text = this.#note || statusText(upload);
    element.dataset.offset = upload.offset;
    element.dataset.confirmed = upload.confirmed;
    this.#parts.progress.value = upload.size === 0 ? Number(upload.state === 'done') : upload.offset;
    this.#parts.progress.setAttribute('aria-valuetext', `${progressText(upload)}, ${text}`);
    setText(this.#parts.status, text);
    setText(this.#parts.amount, progressText(upload));
    setText(this.#parts.speed, speedText(this.rate, upload.size - upload.offset));
  }

  /** Moves the focus to the first visible button. */
  focus() {
    this.element.querySelector('button:not([hidden])')?.focus();
  }

  #showState() {
    const { state } = this.upload;
    const focused = this.element.contains(document.activeElement) && document.activeElement;
    this.element.dataset.state = state;
    this.#showButton('choose', state === 'choose-again' && 'Choose file');
    this.#showButton('resume', resumeTexts[state]);
    this.#showButton('pause', (state === 'waiting' || activeStates.has(state)) && 'Pause');
    this.#showButton('cancel', state !== 'done' && (state === 'failed' || state === 'choose-again' ? 'Remove' : 'Cancel'));
    this.#showButton('dismiss', state === 'done' && 'Clear');
    this.show();
    if (focused?.hidden) {
      this.focus();
    }
  }

  #showButton(action, text) {
    const button = this.#parts[action];
    button.hidden = !text;
    if (text) {
      button.textContent = text;
      button.setAttribute('aria-label', `${text}: ${this.upload.name}`);
    }
  }
}

function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
