import type { ResumableUpload } from '../core/upload.js';
import type { UploadQueue } from '../queue/queue.js';
import { firstButton } from './dom.js';
import { Row, type Item, type RefusedFile, type RowHost } from './row.js';

/** The rows of an element: the uploads of its queue, those of earlier visits, and refused files. */
export class Rows {
  readonly _refused = new Set<RefusedFile>();
  readonly #rows = new Map<Item, Row>();

  readonly #list: HTMLElement;
  readonly #host: RowHost;
  readonly #fallback: HTMLElement;

  /** @param fallback the element that gets the focus if the last row is removed */
  constructor(list: HTMLElement, host: RowHost, fallback: HTMLElement) {
    this.#list = list;
    this.#host = host;
    this.#fallback = fallback;
  }

  get _all(): Row[] {
    return [...this.#rows.values()];
  }

  /** Adds and removes rows, and returns those whose state has changed. */
  _sync(queue: UploadQueue | undefined): Row[] {
    const changed: Row[] = [];
    const items = new Set<Item>([...queue?.pending ?? [], ...queue?.uploads ?? [], ...this._refused]);
    for (const [item, row] of this.#rows) {
      if (!items.has(item)) {
        this._remove(row);
      }
    }

    for (const item of items) {
      let row = this.#rows.get(item);
      if (row === undefined) {
        row = new Row(item, this.#host);
        this.#rows.set(item, row);
        this.#list.append(row._element);
      }

      if (row._state !== row._reported) {
        row._reported = row._state;
        changed.push(row);
        if (row._state === 'failed') {
          // Failures come first, where they are seen.
          const { _focused: focused } = row;
          this.#list.prepend(row._element);
          focused?.focus();
        }
      }
    }

    return changed;
  }

  /** Removes a row. The focus moves to the next one. */
  _remove(row: Row): void {
    const { _element: element, _focused: focused } = row;
    if (focused) {
      const next = element.nextElementSibling ?? element.previousElementSibling;
      (firstButton(next) ?? this.#fallback).focus();
    }

    this.#rows.delete(row._item);
    row._dispose();
  }
}

/** Returns the upload of a row, or null for a pending upload or a refused file. */
export function uploadOf({ _item: item }: Row): ResumableUpload | null {
  return 'start' in item ? item : null;
}
