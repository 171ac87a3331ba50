import type { PendingUpload } from '../queue/types.js';
import type { ResumableUpload } from '../core/upload.js';
import type { UploadFailure } from '../core/types.js';
import { button, h, icon, setText } from './dom.js';
import { failureText, remedyFor, type Remedy } from './failures.js';
import type { Language } from './language.js';
import { Rate } from './rate.js';
import type { TextKey } from './texts.js';
import type { Thumbnails } from './thumbnails.js';

/** A file that was not given to the queue, because a check refused it. */
export interface RefusedFile { readonly file: File; readonly name: string; readonly relativePath: string; readonly size: number; readonly failure: UploadFailure; }

export type Item = ResumableUpload | PendingUpload | RefusedFile;

/** What a row needs from its element. */
export interface RowHost {
  readonly language: Language;
  readonly maxSize: number;
  readonly thumbnails: Thumbnails;
  act(row: Row, action: RowAction): void;
}

export type RowAction = 'pause' | 'resume' | 'remove' | NonNullable<Remedy>;

/** One file in the list. */
export class Row {
  readonly element: HTMLLIElement;
  readonly rate = new Rate();
  /** A text that is shown instead of the state until the next change, or an empty string. */
  note = '';
  /** The state that was last announced. */
  reported = '';

  readonly #thumbnail = h('span', { part: 'thumbnail', class: 'thumb', 'aria-hidden': 'true' });
  readonly #mark = h('span', { class: 'mark' });
  readonly #status = h('span', { part: 'status', class: 'text' });
  readonly #numbers = h('span', { class: 'numbers' });
  readonly #progress = h('progress', { part: 'progress' });
  readonly #fix = button('fix', () => this.#host.act(this, this.#remedy!));
  readonly #toggle = button('toggle icon', () => this.#host.act(this, this.state === 'paused' ? 'resume' : 'pause'));
  readonly #remove = button('remove icon', () => this.#host.act(this, 'remove'), icon('remove'));
  readonly #host: RowHost;
  #remedy: Remedy = null;
  #shown = '';

  constructor(readonly item: Item, host: RowHost) {
    this.#host = host;
    const { name, relativePath } = item;
    const path = relativePath.slice(0, -name.length).replace(/\/$/, '');
    const title = h('span', { part: 'name', class: 'name', title: relativePath, dir: 'auto' }, h('span', { class: 'hidden' }, name), ...splitName(name));
    this.#thumbnail.append(h('span', { class: 'type' }, extension(name) || icon('file')));
    this.element = h('li', { part: 'row', class: 'row', tabindex: '-1' },
      this.#thumbnail,
      title,
      h('span', { class: 'info' }, this.#mark, ...(path ? [h('span', { class: 'path', title: path, dir: 'auto' }, path)] : []), this.#status, this.#numbers),
      this.#fix, h('span', { class: 'tools' }, this.#toggle, this.#remove), this.#progress);
    this.element.dataset.name = name;
    this.#progress.max = item.size || 1;
    this.#progress.setAttribute('aria-label', name);
    if ('file' in item && item.file instanceof Blob) {
      host.thumbnails.add(this.#thumbnail, item.file);
    }
  }

  get state(): string {
    return 'state' in this.item ? this.item.state : 'failure' in this.item ? 'failed' : 'pending';
  }

  get failure(): UploadFailure | null {
    return 'failure' in this.item ? this.item.failure : null;
  }

  get offset(): number {
    return 'offset' in this.item ? this.item.offset : 0;
  }

  /** Shows the current state. */
  show(): void {
    const { state, failure, offset, element } = this;
    const { name, size } = this.item;
    const { language } = this.#host;
    const focused = this.hasFocus;
    if (state !== this.#shown) {
      this.#shown = state;
      this.note = '';
      this.rate.reset();
      element.dataset.state = state;
      this.#mark.replaceChildren(...(state === 'completed' ? [icon('done')] : failure || state === 'pending' ? [icon('failed')] : []));
      this.#toggle.replaceChildren(icon(state === 'paused' ? 'resume' : 'pause'));
    }

    if (state === 'uploading') {
      this.rate.add(offset);
    }

    element.dataset.offset = `${offset}`;
    this.#remedy = state === 'pending' ? ('handle' in this.item && this.item.handle ? 'retry' : 'chooseAgain') : failure && state === 'failed' ? remedyFor(failure) : null;
    const text = this.#text();
    setText(this.#status, text);
    setText(this.#numbers, this.#numbersText());
    this.#progress.value = size === 0 ? Number(state === 'completed') : offset;
    this.#progress.setAttribute('aria-valuetext', `${language.percent(offset, size)}, ${text}`);
    this.#progress.hidden = ['idle', 'completed', 'failed'].includes(state);
    const isRunning = ['idle', 'preparing', 'uploading', 'waiting', 'paused'].includes(state);
    label(this.#fix, this.#remedy && language.text(this.#fixText), name, true);
    label(this.#toggle, isRunning && language.text(state === 'paused' ? 'resume' : 'pause'), name);
    label(this.#remove, language.text(isRunning ? 'cancel' : 'remove'), name);
    if (focused && focused.hidden) {
      this.focus();
    }
  }

  /** Gets the state in words, for the announcer and the row. */
  get message(): string {
    return `${this.item.name}: ${this.#text()}`;
  }

  /** Gets the focused button of this row, or null. */
  get hasFocus(): HTMLElement | null {
    const { activeElement } = this.element.getRootNode() as ShadowRoot;
    return activeElement instanceof HTMLElement && this.element.contains(activeElement) ? activeElement : null;
  }

  /** Moves the focus to the first visible button. */
  focus(): void {
    this.element.querySelector<HTMLElement>('button:not([hidden])')?.focus();
  }

  dispose(): void {
    this.#host.thumbnails.remove(this.#thumbnail);
    this.element.remove();
  }

  get #fixText(): TextKey {
    return this.#remedy === 'retry' && this.state === 'pending' ? 'resume' : this.#remedy!;
  }

  #text(): string {
    const { state, failure, offset, item, note } = this;
    const { language, maxSize } = this.#host;
    if (note) {
      return note;
    }

    switch (state) {
      case 'failed': return failure ? failureText(failure, language, maxSize) : '';
      case 'completed': return language.text('result' in item && item.result?.kind === 'already-completed' ? 'alreadyCompleted' : 'completed');
      case 'pending': return language.text('handle' in item && item.handle ? 'pendingHandle' : 'pending');
      case 'waiting': return language.text(navigator.onLine ? 'waiting' : 'offline');
      case 'uploading': return offset >= item.size ? language.text('finishing') : language.percent(offset, item.size);
      default: return language.text(state as TextKey);
    }
  }

  #numbersText(): string {
    const { state, offset, rate } = this;
    const { size } = this.item;
    const { language } = this.#host;
    if (['idle', 'completed', 'failed'].includes(state) || (offset === 0 && state !== 'uploading')) {
      return language.bytes(size);
    }

    const texts = [language.text('amount', { offset: language.bytes(offset), size: language.bytes(size) })];
    const speed = state === 'uploading' && offset < size ? rate.perSecond : null;
    if (speed !== null && speed >= 1) {
      texts.push(language.speed(speed), language.text('timeLeft', { time: language.duration((size - offset) / speed) }));
    }

    return texts.join(' · ');
  }
}

/** Shows a button with a text or, if there is no text, hides it. */
function label(button: HTMLButtonElement, text: string | false | null, name: string, isVisible = false): void {
  button.hidden = !text;
  if (text) {
    const accessible = `${text}: ${name}`;
    if (button.getAttribute('aria-label') !== accessible) {
      button.setAttribute('aria-label', accessible);
      button.title = isVisible ? '' : text;
    }

    if (isVisible) {
      setText(button, text);
    }
  }
}

/** Splits a name, so that a long one is shortened in the middle and its end stays visible. */
function splitName(name: string): HTMLElement[] {
  const characters = [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment);
  const end = characters.length > 16 ? characters.length - 10 : characters.length;
  return [h('span', { class: 'start', 'aria-hidden': 'true' }, characters.slice(0, end).join('')), h('span', { 'aria-hidden': 'true' }, characters.slice(end).join(''))];
}

/** Returns the extension of a file name if it has at most four characters, or an empty string. */
function extension(name: string): string {
  return /[^.]\.([\p{L}\p{N}]{1,4})$/u.exec(name)?.[1] ?? '';
}
