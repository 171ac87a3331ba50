import { extension } from './format.js';
import { Rate } from './rate.js';
import { activeStates } from './upload.js';
import { amount, pace, words } from './words.js';

const resumeTexts = { paused: 'Resume', 'taken-over': 'Resume', retrying: 'Try now', failed: 'Try again' };

/** What is shown of one upload. */
export class UploadRow {
  #rate = new Rate();
  #parts = {};
  #note = '';

  /**
   * @param {import('./upload.js').Upload} upload
   * @param {{choose: Function, cancel: Function, dismiss: Function}} actions what the row cannot do by itself; each is given the upload
   */
  constructor(upload, actions) {
    this.upload = upload;
    this.element = document.getElementById('upload-row').content.firstElementChild.cloneNode(true);
    for (const part of ['bdi', '.words', '.amount', '.pace', 'progress']) {
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
    resume.onclick = () => (upload.state === 'retrying' ? upload.tryNow() : upload.queue());
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

  /** Bytes per second, or null. */
  get rate() {
    return this.upload.state === 'uploading' ? this.#rate.perSecond() : null;
  }

  /** Says something in place of the state's words, until the state changes. @param {string} note */
  say(note) {
    this.#note = note;
    this.show();
  }

  /** Shows what may have changed without a change of state: numbers and times. */
  show() {
    const { upload, element } = this;
    const text = this.#note || words(upload);
    element.dataset.offset = upload.offset;
    element.dataset.confirmed = upload.confirmed;
    this.#parts.progress.value = upload.size === 0 ? Number(upload.state === 'done') : upload.offset;
    this.#parts.progress.setAttribute('aria-valuetext', `${amount(upload)}, ${text}`);
    write(this.#parts.words, text);
    write(this.#parts.amount, amount(upload));
    write(this.#parts.pace, pace(this.rate, upload.size - upload.offset));
  }

  /** Gives the focus to the row's first button. */
  focus() {
    this.element.querySelector('button:not([hidden])')?.focus();
  }

  #showState() {
    const { state } = this.upload;
    const focused = this.element.contains(document.activeElement) && document.activeElement;
    this.element.dataset.state = state;
    this.#offer('choose', state === 'choose-again' && 'Choose file');
    this.#offer('resume', resumeTexts[state]);
    this.#offer('pause', (state === 'waiting' || activeStates.has(state)) && 'Pause');
    this.#offer('cancel', state !== 'done' && (state === 'failed' || state === 'choose-again' ? 'Remove' : 'Cancel'));
    this.#offer('dismiss', state === 'done' && 'Clear');
    this.show();
    if (focused?.hidden) {
      this.focus();
    }
  }

  #offer(action, text) {
    const button = this.#parts[action];
    button.hidden = !text;
    if (text) {
      button.textContent = text;
      button.setAttribute('aria-label', `${text}: ${this.upload.name}`);
    }
  }
}

function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
