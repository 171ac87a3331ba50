import { getFileId } from '../core/files.js';
import { createProtocol } from '../core/protocol.js';
import { isRunning, ResumableUpload } from '../core/upload.js';
import { getFiles, getTransferredFiles, type FileItem } from './items.js';
import { createRate } from './rate.js';
import { createStorage, type UploadStorage } from './storage.js';
import type { PendingUpload, QueueItem, QueueOptions, QueueProgress } from './types.js';

const saveInterval = 2000;

type PermissionHandle = FileSystemFileHandle & {
  requestPermission?: (descriptor: { mode: 'read' }) => Promise<PermissionState>;
};

/**
 * Uploads many files, a few at a time, and remembers the unfinished ones until a later visit.
 *
 * Dispatches `add` and `remove` (`detail` is the upload), `change` (the state of any upload), `progress`, `pending` and `idle`.
 */
export class UploadQueue extends EventTarget {
  #uploads: ResumableUpload[] = [];
  #pending: PendingUpload[] = [];
  /** The uploads that `pause()` has paused, and that start again after `resume()`. */
  readonly #held = new Set<ResumableUpload>();
  readonly #handles = new Map<ResumableUpload, FileSystemFileHandle | undefined>();
  /** The locks of other tabs for which a request waits. */
  readonly #awaited = new Set<string>();
  readonly #rate = createRate();
  readonly #options: QueueOptions;
  readonly #storage: UploadStorage;
  #isPaused: boolean;
  #isBusy = false;

  readonly #warn = (event: Event): void => event.preventDefault();

  constructor(options: QueueOptions) {
    super();
    this.#options = options;
    this.#isPaused = options.autoStart === false;
    const { storage = 'resumable-uploads' } = options;
    this.#storage = createStorage(storage, createProtocol(options)._url);
  }

  get uploads(): readonly ResumableUpload[] {
    return this.#uploads;
  }

  /** The uploads of an earlier visit whose files must be opened or chosen again. */
  get pending(): readonly PendingUpload[] {
    return this.#pending;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get progress(): QueueProgress {
    const bytesPerSecond = this.#rate._bytesPerSecond();
    const progress: QueueProgress = { offset: 0, size: 0, total: this.#uploads.length, completed: 0, failed: 0, active: 0, bytesPerSecond, secondsLeft: null };
    for (const { state, offset, size } of this.#uploads) {
      if (state === 'failed') {
        progress.failed++;
      } else {
        progress.offset += offset;
        progress.size += size;
        progress.completed += +(state === 'completed');
        progress.active += +isRunning(state);
      }
    }

    if (bytesPerSecond > 0) {
      progress.secondsLeft = (progress.size - progress.offset) / bytesPerSecond;
    }

    return progress;
  }

  /** Adds files and the files in folders. Returns the existing upload of a file that was added before, unless that failed. */
  async add(items: Iterable<QueueItem>): Promise<ResumableUpload[]> {
    return this.#addFiles(await getFiles(items));
  }

  /** Adds the files of a drop or paste event. */
  async addDataTransfer(data: DataTransfer): Promise<ResumableUpload[]> {
    return this.#addFiles(await getTransferredFiles(data));
  }

  /** Loads the unfinished uploads of an earlier visit into `pending`. Those that run in another tab follow if they stop there. */
  async restore(): Promise<readonly PendingUpload[]> {
    const stored = await this.#storage._load();
    const locks = (await navigator.locks?.query().catch(() => null))?.held ?? [];
    this.#setPending(stored.filter(({ url, id }) => {
      const name = url + id;
      const isLocked = locks.some(lock => lock.name === name);
      if (isLocked && !this.#awaited.has(name)) {
        this.#awaited.add(name);
        navigator.locks.request(name, () => {}).then(() => {
          this.#awaited.delete(name);
          void this.restore();
        }, () => {});
      }

      return !isLocked && !this.#uploads.some(upload => upload.id === id);
    }));
    return this.#pending;
  }

  /** Opens the files of pending uploads that have a handle, and continues. The browser asks the user, so call it from a click. */
  async reopen(): Promise<ResumableUpload[]> {
    const uploads: ResumableUpload[] = [];
    for (const pending of this.#pending.filter(({ handle }) => handle)) {
      const handle: PermissionHandle = pending.handle!;
      try {
        // Returns at once if the permission was granted or denied before.
        if (await handle.requestPermission?.({ mode: 'read' }) !== 'denied') {
          uploads.push(this.#addFile({ file: await handle.getFile(), relativePath: pending.relativePath, handle }, pending.id));
        }
      } catch {
        // The file was moved or deleted, or the user gesture is over. It can be chosen again.
      }
    }

    this.#startNext();
    return uploads;
  }

  /**
   * Removes a pending upload from the list, or deletes a completed upload, also from the server. A pending upload that was completed meanwhile, for example
   * in another tab or field, stays on the server.
   */
  async forget(upload: PendingUpload | ResumableUpload): Promise<void> {
    const id = upload.id!;
    this.#setPending(this.#pending.filter(pending => pending.id !== id));
    void this.#storage._delete(id);
    const isDeleted = 'state' in upload || await createProtocol(this.#options)._fetch('GET', undefined, id).then(status => status._complete === false, () => false);
    if (isDeleted) {
      await new ResumableUpload(new Blob(), { ...this.#options, id }).cancel();
    }
  }

  /** Pauses all uploads, and starts none. */
  pause(): void {
    this.#isPaused = true;
    for (const upload of this.#uploads) {
      if (isRunning(upload.state)) {
        this.#held.add(upload);
        upload.pause();
      }
    }
  }

  /** Continues the uploads that `pause()` has paused, and starts the others. */
  resume(): void {
    this.#isPaused = false;
    this.#startNext();
  }

  /** Cancels all uploads that are not completed, and deletes them from the server. */
  async cancel(): Promise<void> {
    await Promise.all(this.#uploads.map(upload => upload.cancel()));
  }

  /** Starts the failed uploads that can succeed now. */
  retry(): void {
    this.#uploads.filter(({ state, failure }) => state === 'failed' && failure!.canRetry).forEach(upload => this.#held.add(upload));

    this.#startNext();
  }

  /** Removes the completed uploads. */
  clearFinished(): void {
    this.#uploads.forEach(upload => upload.state === 'completed' && this.remove(upload));
  }

  async #addFiles(files: FileItem[]): Promise<ResumableUpload[]> {
    const uploads: ResumableUpload[] = [];
    for (const item of files) {
      // A file that cannot be read has no id. Its upload reports the error.
      const id = await getFileId(item.file, item.relativePath).catch(() => undefined);
      const existing = id && this.#uploads.find(upload => upload.id === id);
      if (existing && existing.state !== 'failed') {
        uploads.push(existing);
        continue;
      }

      if (existing) {
        this.remove(existing);
      }

      uploads.push(this.#addFile(item, id));
      this.#startNext();
    }

    return uploads;
  }

  #addFile({ file, relativePath, handle }: FileItem, expectedId: string | undefined): ResumableUpload {
    const upload = new ResumableUpload(file, { ...this.#options, relativePath, expectedId });
    const pending = this.#pending.find(known => known.id === expectedId);
    this.#uploads = [...this.#uploads, upload];
    this.#handles.set(upload, handle ?? pending?.handle);
    if (pending) {
      this.#setPending(this.#pending.filter(known => known.id !== expectedId));
    } else {
      this.#save(upload);
    }

    let offset = 0;
    let saved = performance.now();
    upload.addEventListener('statechange', () => this.#onChange(upload));
    upload.addEventListener('progress', () => {
      if (upload.state === 'uploading') {
        this.#rate._add(Math.max(0, upload.offset - offset));
        if (performance.now() - saved > saveInterval) {
          saved = performance.now();
          this.#save(upload);
        }
      }

      offset = upload.offset;
      this.#dispatch('progress');
    });
    this.#dispatch('add', upload);
    return upload;
  }

  #onChange(upload: ResumableUpload): void {
    const { state, id, failure } = upload;
    if (isRunning(state)) {
      this.#held.delete(upload);
    }

    if (id && (state === 'completed' || state === 'canceled' || state === 'failed' && !failure!.canRetry)) {
      void this.#storage._delete(id);
    } else {
      this.#save(upload);
    }

    this.#dispatch('change', upload);
    if (state === 'canceled') {
      this.remove(upload);
    }

    this.#startNext();
  }

  #startNext(): void {
    if (!this.#isPaused && this.progress.active < (this.#options.concurrency ?? 3)) {
      // The change of its state calls this method again for the next one.
      void this.#uploads.find(upload => upload.state === 'idle' || this.#held.has(upload))?.start();
    }

    // Warns before the page is left while bytes are sent, and reports when the last upload has ended.
    const isBusy = this.progress.active > 0;
    if (isBusy !== this.#isBusy) {
      this.#isBusy = isBusy;
      // A page with this listener cannot be restored from the back/forward cache, so it is added only while it is required.
      (isBusy ? addEventListener : removeEventListener)('beforeunload', this.#warn);
      if (!isBusy) {
        this.#dispatch('idle');
      }
    }
  }

  /** Removes an upload from the list. The server keeps what it has received. */
  remove(upload: ResumableUpload): void {
    this.#uploads = this.#uploads.filter(other => other !== upload);
    this.#held.delete(upload);
    this.#handles.delete(upload);
    this.#dispatch('remove', upload);
  }

  #setPending(pending: PendingUpload[]): void {
    this.#pending = pending;
    this.#dispatch('pending');
  }

  #save(upload: ResumableUpload): void {
    const { id, name, relativePath, size, offset } = upload;
    if (id) {
      void this.#storage._save({ id, name, relativePath, size, offset, handle: this.#handles.get(upload) });
    }
  }

  #dispatch(type: string, detail?: ResumableUpload): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
