import type { UploadFailure } from '../core/types.js';
import type { ResumableUpload } from '../core/upload.js';
import { createRate } from '../queue/rate.js';
import type { PendingUpload } from '../queue/types.js';
import { button, firstButton, h, icon, setText } from './dom.js';
import { failureText, remedyFor, type Remedy } from './failures.js';
import type { Language } from './language.js';
import type { TextKey } from './texts.js';

/** Larger images are not shown as thumbnails. */
const maxImageSize = 30_000_000;

/** A file that was not given to the queue, because a check refused it. */
export interface RefusedFile { file: File; name: string; relativePath: string; size: number; failure: UploadFailure; }

export type Item = ResumableUpload | PendingUpload | RefusedFile;

export type RowAction = 'pause' | 'resume' | 'cancel' | 'remove' | Remedy;

/** What a row needs from its element. */
export interface RowHost {
  readonly _language: Language;
  readonly _maxSize: number;
  _act(row: Row, action: RowAction): void;
}

/** One file in the list. */
export class Row {
  readonly _item: Item;
  readonly _element = h('li', 'row');
  /** A text that is shown instead of the state until the next change, or an empty string. */
  _note = '';
  /** The state that was last reported. */
  _reported = '';
  /** The offset that is shown. It stays while the upload is interrupted, because only the server knows what it has received. */
  _offset = 0;

  readonly #host: RowHost;
  readonly #actions = new Map<HTMLElement, RowAction>();
  readonly #thumbnail = h('span', 'thumbnail');
  readonly #mark = h('span', 'mark');
  readonly #status = h('span', 'status');
  readonly #numbers = h('span', 'numbers');
  readonly #progress = h('progress', 'progress');
  readonly #fix = this.#button('fix');
  readonly #toggle = this.#button('icon pause');
  readonly #remove = this.#button('icon remove');
  #rate = createRate();
  #shown = '';
  #revoke = (): void => {};

  constructor(item: Item, host: RowHost) {
    this._item = item;
    this.#host = host;
    const { name, relativePath, size } = item;
    // Shortened in the middle, so that the end stays visible. Screen readers read the whole name.
    const characters = Array.from(new Intl.Segmenter().segment(name), ({ segment }) => segment);
    const end = characters.length > 16 ? -10 : characters.length;
    const short = h('span', 'short', h('span', 'start', characters.slice(0, end).join('')), characters.slice(end).join(''));
    const title = h('span', 'name', short, h('span', 'sr', name));
    const folder = h('span', 'folder', relativePath.slice(0, -name.length - 1));
    short.ariaHidden = this.#thumbnail.ariaHidden = 'true';
    short.dir = folder.dir = 'auto';
    title.title = relativePath;
    this.#thumbnail.append(/[^.]\.([\p{L}\p{N}]{1,4})$/u.exec(name)?.[1] ?? '…');
    this.#remove.append(icon('remove'));
    this._element.append(this.#thumbnail, title, h('span', 'info', this.#mark, folder, this.#status, this.#numbers), this.#fix, this.#toggle, this.#remove, this.#progress);
    this._element.dataset.name = name;
    this.#progress.max = size || 1;
    this.#progress.ariaLabel = name;
    if ('file' in item && item.file.type.startsWith('image/') && size < maxImageSize) {
      // Covers the type of the file, which stays visible if the browser or the policy of the page does not show the image.
      const image = Object.assign(new Image(), { alt: '', loading: 'lazy', src: URL.createObjectURL(item.file) });
      this.#revoke = () => URL.revokeObjectURL(image.src);
      image.onload = this.#revoke;
      image.onerror = () => image.remove();
      this.#thumbnail.append(image);
    }
  }

  get _state(): string {
    const item = this._item;
    return 'state' in item ? item.state : 'failure' in item ? 'failed' : 'pending';
  }

  get _failure(): UploadFailure | null {
    return 'failure' in this._item ? this._item.failure : null;
  }

  /** Gets the action that fits the state, besides the removal, or null. */
  get _remedy(): Remedy | null {
    const { _state: state, _item: item } = this;
    return state === 'pending' ? ('handle' in item && item.handle ? 'resumePending' : 'chooseAgain') : state === 'failed' ? remedyFor(this._failure!) : null;
  }

  /** Gets the name and the state in words. */
  get _message(): string {
    return `${this._item.name}: ${this.#text()}`;
  }

  /** Gets the button of this row that has the focus, or null. */
  get _focused(): HTMLElement | null {
    return this._element.querySelector(':focus');
  }

  /** Shows the current state. */
  _show(): void {
    const { _state: state, _element: element, _item: item, _focused: focused, _remedy: remedy } = this;
    const offset = 'offset' in item ? item.offset : 0;
    const isInterrupted = ['preparing', 'waiting', 'paused'].includes(state);
    const isRunning = isInterrupted || state === 'uploading' || state === 'idle';
    if (state === 'uploading') {
      this.#rate._add(Math.max(0, offset - this._offset));
    }

    this._offset = isInterrupted ? Math.max(this._offset, offset) : offset;
    if (state !== this.#shown) {
      this._note = '';
      this.#rate = createRate();
      this.#shown = element.dataset.state = state;
      this.#mark.replaceChildren(...isRunning ? [] : [icon(state === 'completed' ? 'done' : 'failed')]);
      this.#toggle.replaceChildren(icon(state === 'paused' ? 'resume' : 'pause'));
    }

    element.dataset.offset = `${this._offset}`;
    setText(this.#status, this.#text());
    setText(this.#numbers, this.#getNumbers());
    this.#progress.hidden = state === 'idle' || !isRunning && state !== 'pending';
    this.#progress.value = this._offset;
    this.#label(this.#fix, remedy);
    this.#label(this.#toggle, isRunning && (state === 'paused' ? 'resume' : 'pause'));
    this.#label(this.#remove, isRunning ? 'cancel' : 'remove');
    if (focused?.hidden) {
      firstButton(element)!.focus();
    }
  }

  _dispose(): void {
    this.#revoke();
    this._element.remove();
  }

  #button(names: string): HTMLButtonElement {
    const element = button(names, () => this.#host._act(this, this.#actions.get(element)!));
    return element;
  }

  /** Gives a button an action and its text, or hides it. */
  #label(element: HTMLButtonElement, action: RowAction | null | false): void {
    element.hidden = !action;
    if (action) {
      const text = this.#host._language._text(action);
      this.#actions.set(element, action);
      element.ariaLabel = `${text}: ${this._item.name}`;
      if (element === this.#fix) {
        setText(element, text);
      } else {
        element.title = text;
      }
    }
  }

  #text(): string {
    const { _state: state, _item: item, _offset: offset, _remedy: remedy } = this;
    const { _language: language, _maxSize: maxSize } = this.#host;
    const key = state === 'completed' && (item as ResumableUpload).result?.kind === 'already-completed' ? 'alreadyCompleted'
      : state === 'waiting' && !navigator.onLine ? 'offline'
      : state === 'uploading' && offset >= item.size ? 'finishing'
      : remedy === 'resumePending' ? 'unfinished'
      : state as TextKey;
    return this._note || (
      state === 'failed' ? failureText(this._failure!, language, maxSize)
      : key === 'uploading' as TextKey ? language._percent(offset, item.size)
      : language._text(key));
  }

  #getNumbers(): string {
    const { _state: state, _offset: offset, _item: { size } } = this;
    const { _text: text, _bytes: bytes, _speed: speed } = this.#host._language;
    return [
      offset && offset < size ? text('amount', { offset: bytes(offset), size: bytes(size) }) : bytes(size),
      ...speed(state === 'uploading' ? this.#rate._bytesPerSecond() : 0, size - offset),
    ].join(' · ');
  }
}
