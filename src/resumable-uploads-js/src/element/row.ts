import type { UploadFailure } from '../core/types.js';
import { isRunning, type ResumableUpload } from '../core/upload.js';
import { createRate } from '../queue/rate.js';
import type { PendingUpload } from '../queue/types.js';
import { button, firstButton, h, icon, setText } from './dom.js';
import type { CompletedUpload } from './form-control.js';
import { failureText, remedyFor, type Remedy } from './failures.js';
import type { Language } from './language.js';
import type { TextKey } from './texts.js';

/** Larger images are not shown as thumbnails. */
const maxImageSize = 30_000_000;

/** A file that was not given to the queue, because a check refused it. */
export interface RefusedFile { file: File; name: string; relativePath: string; size: number; failure: UploadFailure; }

export type Item = ResumableUpload | PendingUpload | CompletedUpload | RefusedFile;

export type RowAction = 'pause' | 'cancel' | 'remove' | Remedy;

/** What a row needs from its element. */
export interface RowHost {
  readonly _language: Language;
  readonly _maxSize: number;
  _act(row: Row, action: RowAction): void;
}

/** One file in the list. */
export interface Row {
  readonly _item: Item;
  readonly _element: HTMLElement;
  /** The offset that is shown. It stays while the upload is interrupted, because only the server knows what it has received. */
  _offset: number;
  /** The state that was last reported. */
  _reported: string;
  /** Returns the state of the upload, or `pending` for one of an earlier visit. */
  _state(): string;
  /** Returns the action that fits the state, besides the removal, if there is one. */
  _remedy(): Remedy | '' | false;
  /** Returns the name and the state in words. */
  _message(): string;
  /** Returns the button of this row that has the focus, or null. */
  _focused(): HTMLElement | null;
  /** Shows the current state, or a note until the next change. */
  _show(note?: string): void;
  _dispose(): void;
}

/** Returns the upload of a row, or null for a pending upload or a refused file. */
export const uploadOf = ({ _item: item }: Row): ResumableUpload | null => 'start' in item ? item : null;

/** Creates the row of an upload, a pending upload or a refused file. */
export function createRow(item: Item, host: RowHost): Row {
  const { name, relativePath, size } = item;
  const element = h('li', 'row');
  const thumbnail = h('span', 'thumbnail');
  const mark = h('span', 'mark');
  const status = h('span', 'status');
  const numbers = h('span', 'numbers');
  const progress = h('progress', 'progress');
  let rate = createRate();
  let shown = '';
  let note = '';
  let revoke = (): void => {};

  const fix = button('fix');
  const toggle = button('icon pause');
  const remove = button('icon remove');

  /** Gives a button an action and its text, or hides it. */
  const label = (target: HTMLButtonElement, action: RowAction | '' | false): void => {
    target.hidden = !action;
    if (action) {
      const text = host._language._text(action);
      target.onclick = () => host._act(row, action);
      target.ariaLabel = `${text}: ${name}`;
      if (target === fix) {
        setText(target, text);
      } else {
        target.title = text;
      }
    }
  };

  const getText = (): string => {
    const state = row._state();
    const { _language: language, _maxSize: maxSize } = host;
    const offset = row._offset;
    return note || (
      state === 'failed' ? failureText((item as RefusedFile).failure, language, maxSize)
      : state === 'uploading' && offset < size ? language._percent(offset, size)
      : language._text(
        state === 'uploading' ? 'finishing'
        : state === 'completed' && (item as ResumableUpload).result?.kind === 'already-completed' ? 'alreadyCompleted'
        : state === 'waiting' && !navigator.onLine ? 'offline'
        : row._remedy() === 'resume' ? 'unfinished'
        : state as TextKey));
  };

  const row: Row = {
    _item: item,
    _element: element,
    _offset: 0,
    _reported: '',
    _state: () => 'state' in item ? item.state : 'failure' in item ? 'failed' : 'pending',
    _remedy() {
      const state = row._state();
      return state === 'pending' ? ((item as PendingUpload).handle ? 'resume' : 'chooseAgain') : state === 'failed' ? remedyFor((item as RefusedFile).failure) : false;
    },
    _message: () => `${name}: ${getText()}`,
    _focused: () => element.querySelector(':focus'),
    _show(newNote) {
      const state = row._state();
      const focused = row._focused();
      const offset = 'offset' in item ? item.offset : 0;
      const isUploading = state === 'uploading';
      const isPaused = state === 'paused';
      const isStarted = isPaused || isRunning(state as 'idle');
      const isOpen = isStarted || state === 'idle';
      if (state !== shown) {
        note = '';
        rate = createRate();
        shown = element.dataset.state = state;
        mark.replaceChildren(...isOpen ? [] : [icon(state === 'completed' ? 'done' : 'failed')]);
        toggle.replaceChildren(icon(isPaused ? 'resume' : 'pause'));
      } else if (isUploading) {
        rate._add(Math.max(0, offset - row._offset));
      }

      note = newNote ?? note;
      row._offset = isOpen && !isUploading ? Math.max(row._offset, offset) : offset;
      element.dataset.offset = `${row._offset}`;
      const { _text: text, _bytes: bytes, _speed: speed } = host._language;
      setText(status, getText());
      setText(numbers, [
        row._offset && row._offset < size ? text('amount', { offset: bytes(row._offset), size: bytes(size) }) : bytes(size),
        ...speed(isUploading ? rate._bytesPerSecond() : 0, size - offset),
      ].join(' · '));
      progress.hidden = !isStarted && state !== 'pending';
      progress.value = row._offset;
      label(fix, row._remedy());
      label(toggle, isStarted && (isPaused ? 'resume' : 'pause'));
      label(remove, isOpen ? 'cancel' : 'remove');
      if (focused?.hidden) {
        firstButton(element)!.focus();
      }
    },
    _dispose() {
      revoke();
      element.remove();
    },
  };

  const title = h('span', 'name', name);
  const folder = h('span', 'folder', relativePath.slice(0, -name.length - 1));
  thumbnail.ariaHidden = 'true';
  title.dir = folder.dir = 'auto';
  title.title = relativePath;
  progress.max = size || 1;
  progress.ariaLabel = element.dataset.name = name;
  remove.append(icon('remove'));
  thumbnail.append(/[^.]\.([\p{L}\p{N}]{1,4})$/u.exec(name)?.[1] ?? '…');
  element.append(thumbnail, title, h('span', 'info', mark, folder, status, numbers), fix, toggle, remove, progress);
  if ('file' in item && item.file.type.startsWith('image/') && size < maxImageSize) {
    // Covers the type of the file, which stays visible if the browser or the policy of the page does not show the image.
    const image = Object.assign(new Image(), { alt: '', loading: 'lazy', src: URL.createObjectURL(item.file) });
    image.onload = revoke = () => URL.revokeObjectURL(image.src);
    image.onerror = () => {
      revoke();
      image.remove();
    };
    thumbnail.append(image);
  }

  return row;
}
