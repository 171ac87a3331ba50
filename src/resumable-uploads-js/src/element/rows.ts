import type { ResumableUpload } from '../core/upload.js';
import type { UploadQueue } from '../queue/queue.js';
import { Row, type Item, type RefusedFile, type RowHost } from './row.js';

/** The rows of an element: the uploads of its queue, those of earlier visits, and refused files. */
export class Rows {
  readonly refused = new Set<RefusedFile>();
  readonly #rows = new Map<Item, Row>();

  constructor(private readonly list: HTMLElement, private readonly host: RowHost, private readonly getFallback: () => HTMLElement) {}

  get all(): Row[] {
    return [...this.#rows.values()];
  }

  count(...states: string[]): number {
    return this.all.filter(row => states.includes(row.state)).length;
  }

  /** Adds and removes rows, and returns those whose state has changed. */
  sync(queue: UploadQueue | null): Row[] {
    const changed: Row[] = [];
    const items = new Set<Item>([...queue?.pending ?? [], ...queue?.uploads ?? [], ...this.refused]);
    for (const [item, row] of this.#rows) {
      if (!items.has(item)) {
        this.remove(row);
      }
    }

    for (const item of items) {
      let row = this.#rows.get(item);
      if (row === undefined) {
        row = new Row(item, this.host);
        this.#rows.set(item, row);
        this.list.append(row.element);
      }

      if (row.state !== row.reported) {
        row.reported = row.state;
        changed.push(row);
        if (row.state === 'failed') {
          // Failures come first, where they are seen.
          const { focused } = row;
          this.list.prepend(row.element);
          focused?.focus();
        }
      }
    }

    return changed;
  }

  /** Removes a row. The focus moves to the next one. */
  remove(row: Row): void {
    const { element, focused } = row;
    if (focused) {
      const next = (element.nextElementSibling ?? element.previousElementSibling)?.querySelector<HTMLElement>('button:not([hidden])');
      (next ?? this.getFallback()).focus();
    }

    this.#rows.delete(row.item);
    row.dispose();
  }
}

/** Returns the upload of a row, or null for a pending upload or a refused file. */
export function uploadOf({ item }: Row): ResumableUpload | null {
  return 'start' in item ? item : null;
}
