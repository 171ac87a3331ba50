import type { PendingUpload } from './types.js';

export interface StoredUpload extends PendingUpload {
  url: string;
  /** The time of the last change. */
  at: number;
}

const storeName = 'uploads';
const maxAge = 30 * 86_400_000;

/** The unfinished uploads of a URL in IndexedDB, which also stores file handles. Without IndexedDB, nothing is stored. */
export class UploadStorage {
  #database: Promise<IDBDatabase> | undefined;

  constructor(private readonly name: string | null, private readonly url: string) {}

  save({ id, name, relativePath, size, offset, handle }: PendingUpload): Promise<void> {
    return this.#write(store => store.put({ id, name, relativePath, size, offset, handle, url: this.url, at: Date.now() }));
  }

  delete(id: string): Promise<void> {
    return this.#write(store => store.delete([this.url, id]));
  }

  /** Returns the uploads, oldest first. */
  async load(): Promise<StoredUpload[]> {
    let all: StoredUpload[] = [];
    await this.#write(store => {
      const request = store.getAll();
      request.onsuccess = () => {
        all = request.result;
      };
    });
    return all.filter(({ url, at }) => url === this.url && Date.now() - at < maxAge).sort((a, b) => a.at - b.at);
  }

  async #write(action: (store: IDBObjectStore) => unknown): Promise<void> {
    if (this.name === null) {
      return;
    }

    try {
      const database = await (this.#database ??= open(this.name));
      await new Promise<void>((resolve, reject) => {
        const transaction = database.transaction(storeName, 'readwrite');
        transaction.oncomplete = () => resolve();
        transaction.onabort = reject;
        action(transaction.objectStore(storeName));
      });
    } catch {
      // Storage can be disabled or full. Uploads work without it.
    }
  }
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: ['url', 'id'] });
    request.onsuccess = () => resolve(request.result);
    request.onerror = reject;
  });
}
