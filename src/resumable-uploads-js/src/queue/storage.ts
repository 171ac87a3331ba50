import type { PendingUpload } from './types.js';

export interface StoredUpload extends PendingUpload {
  url: string;
  /** The time of the last change. */
  at: number;
}

const storeName = 'uploads';
const maxAge = 30 * 86_400_000;

export interface UploadStorage {
  _save(upload: PendingUpload): Promise<unknown>;
  _delete(id: string): Promise<unknown>;
  /** Returns the uploads, oldest first. */
  _load(): Promise<StoredUpload[]>;
}

/** Stores the unfinished uploads of a URL in IndexedDB, which also stores file handles. Without IndexedDB, nothing is stored. */
export function createStorage(name: string | null, url: string): UploadStorage {
  let database: Promise<IDBDatabase> | undefined;
  const use = async <T>(action: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> => {
    if (name !== null) {
      try {
        const transaction = (await (database ??= open(name))).transaction(storeName, 'readwrite');
        const request = action(transaction.objectStore(storeName));
        await new Promise((resolve, reject) => {
          transaction.oncomplete = resolve;
          transaction.onabort = reject;
        });
        return request.result;
      } catch {
        // Storage can be disabled or full. Uploads work without it.
      }
    }
  };
  return {
    _save: upload => use(store => store.put({ ...upload, url, at: Date.now() })),
    _delete: id => use(store => store.delete([url, id])),
    _load: async () => (await use<StoredUpload[]>(store => store.getAll()) ?? [])
      .filter(stored => stored.url === url && Date.now() - stored.at < maxAge).sort((a, b) => a.at - b.at),
  };
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: ['url', 'id'] });
    request.onsuccess = () => resolve(request.result);
    request.onerror = reject;
  });
}
