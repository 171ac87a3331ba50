import type { UploadQueue } from '../queue/queue.js';
import { firstButton } from './dom.js';
import type { CompletedUpload } from './form-control.js';
import { createRow, type Item, type RefusedFile, type Row, type RowHost } from './row.js';

/** The rows of an element: the uploads of its queue, those of earlier visits, and refused files. */
export interface Rows {
  /** The refused files, and by their ids the completed uploads that the browser has restored. */
  readonly _others: Map<unknown, RefusedFile | CompletedUpload>;
  _all(): Row[];
  /** Adds and removes rows, and returns those whose state has changed. */
  _sync(queue: UploadQueue | undefined): Row[];
}

/** @param fallback the element that gets the focus if the last row is removed */
export function createRows(list: HTMLElement, host: RowHost, fallback: HTMLElement): Rows {
  const others = new Map<unknown, RefusedFile | CompletedUpload>();
  const rows = new Map<Item, Row>();
  return {
    _others: others,
    _all: () => [...rows.values()],
    _sync(queue) {
      const changed: Row[] = [];
      const uploads = queue?.uploads ?? [];
      // A restored upload whose file was chosen again is one row.
      uploads.forEach(({ id }) => others.delete(id));
      const items = new Set<Item>([...queue?.pending ?? [], ...uploads, ...others.values()]);
      for (const [item, row] of rows) {
        if (!items.has(item)) {
          const next = row._element.nextElementSibling ?? row._element.previousElementSibling;
          if (row._focused()) {
            (firstButton(next) ?? fallback).focus();
          }

          rows.delete(item);
          row._dispose();
        }
      }

      for (const item of items) {
        let row = rows.get(item);
        if (!row) {
          row = createRow(item, host);
          rows.set(item, row);
          list.append(row._element);
        }

        const state = row._state();
        if (state !== row._reported) {
          row._reported = state;
          changed.push(row);
          if (state === 'failed') {
            // Failures come first, where they are seen.
            const focused = row._focused();
            list.prepend(row._element);
            focused?.focus();
          }
        }
      }

      return changed;
    },
  };
}
