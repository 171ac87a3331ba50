import type { UploadFailure } from '../core/types.js';
import type { ResumableUpload } from '../core/upload.js';
import { Rate } from '../queue/rate.js';
import type { PendingUpload } from '../queue/types.js';
import { button, h, icon, setText } from './dom.js';
import { failureText, remedyFor, type Remedy } from './failures.js';
import type { Language } from './language.js';
import type { TextKey } from './texts.js';
import type { Thumbnails } from './thumbnails.js';

/** A file that was not given to the queue, because a check refused it. */
export interface RefusedFile { readonly file: File; readonly name: string; readonly relativePath: string; readonly size: number; readonly failure: UploadFailure; }

export type Item = ResumableUpload | PendingUpload | RefusedFile;

export type RowAction = 'pause' | 'resume' | 'remove' | Remedy;

/** What a row needs from its element. */
export interface RowHost {
  readonly language: Language;
  readonly maxSize: number;
  readonly thumbnails: Thumbnails;
  act(row: Row, action: RowAction): void;
}

/** One file in the list. */
export class Row {
  readonly element: HTMLLIElement;
  /** A text that is shown instead of the state until the next change, or an empty string. */
  note = '';
  /** The state that was last reported. */
  reported = '';
  /** The offset that is shown. It stays while the upload is interrupted, because only the server knows what it has received. */
  offset = 0;

  readonly #rate = new Rate();
  readonly #thumbnail = h('span', { part: 'thumbnail', class: 'thumb', 'aria-hidden': 'true' });
  readonly #mark = h('span', { class: 'mark' });
  readonly #status = h('span', { part: 'status', class: 'text' });
  readonly #numbers = h('span', { class: 'numbers' });
  readonly #progress = h('progress', { part: 'progress' });
  readonly #fix = button('fix', () => this.host.act(this, this.#remedy!));
  readonly #toggle = button('pause icon', () => this.host.act(this, this.state === 'paused' ? 'resume' : 'pause'));
  readonly #remove = button('remove icon', () => this.host.act(this, 'remove'), icon('remove'));
  #remedy: Remedy | null = null;
  #shown = '';

  constructor(readonly item: Item, private readonly host: RowHost) {
    const { name, relativePath, size } = item;
    const folder = relativePath.slice(0, -name.length - 1);
    // Shortened in the middle, so that the end stays visible. Screen readers read the whole name.
    const characters = Array.from(new Intl.Segmenter().segment(name), ({ segment }) => segment);
    const end = characters.length > 16 ? -10 : characters.length;
    this.#thumbnail.append(h('span', {}, /[^.]\.([\p{L}\p{N}]{1,4})$/u.exec(name)?.[1] ?? icon('file')));
    this.element = h('li', { part: 'row', class: 'row' },
      this.#thumbnail,
      h('span', { part: 'name', class: 'name', title: relativePath, dir: 'auto' },
        h('span', { class: 'sr' }, name),
        h('span', { class: 'start', 'aria-hidden': 'true' }, characters.slice(0, end).join('')),
        h('span', { 'aria-hidden': 'true' }, characters.slice(end).join(''))),
      h('span', { class: 'info' }, this.#mark, ...(folder ? [h('span', { class: 'folder', dir: 'auto' }, folder)] : []), this.#status, this.#numbers),
      this.#fix, this.#toggle, this.#remove, this.#progress);
    this.element.dataset.name = name;
    this.#progress.max = size || 1;
    this.#progress.setAttribute('aria-label', name);
    if ('file' in item) {
      host.thumbnails.add(this.#thumbnail, item.file);
    }
  }

  get state(): string {
    return 'state' in this.item ? this.item.state : 'failure' in this.item ? 'failed' : 'pending';
  }

  get failure(): UploadFailure | null {
    return 'failure' in this.item ? this.item.failure : null;
  }

  /** Gets the action that fits the state, besides the removal, or null. */
  get remedy(): Remedy | null {
    const { state, failure } = this;
    return state === 'pending' ? ((this.item as PendingUpload).handle ? 'resumePending' : 'chooseAgain') : state === 'failed' ? remedyFor(failure!) : null;
  }

  /** Gets the name and the state in words. */
  get message(): string {
    return `${this.item.name}: ${this.#text()}`;
  }

  /** Gets the button of this row that has the focus, or null. */
  get focused(): HTMLElement | null {
    return this.element.querySelector(':focus');
  }

  /** Shows the current state. */
  show(): void {
    const { state, element, focused } = this;
    const { name, size } = this.item;
    const { language } = this.host;
    const offset = 'offset' in this.item ? this.item.offset : 0;
    this.offset = ['preparing', 'waiting', 'paused'].includes(state) ? Math.max(this.offset, offset) : offset;
    if (state !== this.#shown) {
      this.#shown = element.dataset.state = state;
      this.#mark.replaceChildren(...(state === 'completed' ? [icon('done')] : state === 'failed' || state === 'pending' ? [icon('failed')] : []));
      this.#toggle.replaceChildren(icon(state === 'paused' ? 'resume' : 'pause'));
    }

    if (state === 'uploading') {
      this.#rate.set(offset);
    } else {
      this.#rate.reset();
    }

    element.dataset.offset = `${this.offset}`;
    const text = this.#text();
    setText(this.#status, text);
    const numbers = this.#getNumbers();
    if (this.#numbers.textContent !== numbers.join('')) {
      this.#numbers.replaceChildren(...numbers.map(number => h('span', {}, number)));
    }

    const isRunning = ['idle', 'preparing', 'uploading', 'waiting', 'paused'].includes(state);
    this.#progress.hidden = !isRunning && state !== 'pending' || state === 'idle';
    this.#progress.value = this.offset;
    this.#progress.setAttribute('aria-valuetext', `${language.percent(this.offset, size)}, ${text}`);
    this.#remedy = this.remedy;
    this.#label(this.#fix, this.#remedy);
    this.#label(this.#toggle, isRunning && (state === 'paused' ? 'resume' : 'pause'));
    this.#label(this.#remove, isRunning ? 'cancel' : 'remove');
    if (focused?.hidden) {
      element.querySelector<HTMLElement>('button:not([hidden])')!.focus();
    }
  }

  dispose(): void {
    this.host.thumbnails.remove(this.#thumbnail);
    this.element.remove();
  }

  /** Shows a button with a text, or hides it. */
  #label(button: HTMLButtonElement, key: TextKey | null | false): void {
    button.hidden = !key;
    if (key) {
      const text = this.host.language.text(key);
      button.ariaLabel = `${text}: ${this.item.name}`;
      if (button === this.#fix) {
        setText(button, text);
      } else {
        button.title = text;
      }
    }
  }

  #text(): string {
    const { state, failure, item } = this;
    const { language, maxSize } = this.host;
    return this.note || (
      state === 'failed' ? failureText(failure!, language, maxSize)
      : state === 'completed' && (item as ResumableUpload).result?.kind === 'already-completed' ? language.text('alreadyCompleted')
      : state === 'waiting' && !navigator.onLine ? language.text('offline')
      : state === 'uploading' ? (this.offset >= item.size ? language.text('finishing') : language.percent(this.offset, item.size))
      : language.text(this.remedy === 'chooseAgain' ? 'pending' : state === 'pending' ? 'unfinished' : state as TextKey));
  }

  #getNumbers(): string[] {
    const { state, offset } = this;
    const { size } = this.item;
    const { language } = this.host;
    if (offset === 0 || offset >= size) {
      return [language.bytes(size)];
    }

    const speed = state === 'uploading' ? this.#rate.bytesPerSecond : 0;
    return [
      language.text('amount', { offset: language.bytes(offset), size: language.bytes(size) }),
      ...(speed >= 1 ? [language.speed(speed), language.text('timeLeft', { time: language.duration((size - offset) / speed) })] : []),
    ];
  }
}
