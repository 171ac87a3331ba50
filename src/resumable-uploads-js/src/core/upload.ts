import { getDelay, isOffline, wait } from './backoff.js';
import { fail, retry, UploadError } from './errors.js';
import { getFileId } from './files.js';
import { createProtocol, type Protocol } from './protocol.js';
import { createTransfer, type Transfer } from './transfer.js';
import { throwIfFailed } from './response.js';
import type { UploadFailure, UploadOptions, UploadResult, UploadSnapshot, UploadState } from './types.js';

/** Returns whether an upload sends requests or waits for a retry. */
export const isRunning = (state: UploadState): boolean => ['preparing', 'uploading', 'waiting'].includes(state);

/** The last deletion of each URL and id. A new upload with the same id waits for it, because a late request would delete its content. */
const deletions = new Map<string, Promise<void>>();

/**
 * The upload of one file. It continues after connection errors and server restarts, and in a later visit if the same file is chosen again.
 *
 * Dispatches `statechange` and `progress`.
 */
export class ResumableUpload extends EventTarget {
  readonly file: Blob;
  readonly name: string;
  readonly relativePath: string;
  readonly size: number;
  readonly #options: UploadOptions;
  readonly #protocol: Protocol;
  readonly #transfer: Transfer;
  #state: UploadState = 'idle';
  #failure: UploadFailure | null = null;
  #retryAt: number | null = null;
  #result: UploadResult | null = null;
  #id: string | null;
  /** The id that is computed from the file. */
  #fileId: string | undefined;
  /** The consecutive failures, which determine the delay. */
  #failures = 0;
  /** Those of them that count towards `maxRetries`. */
  #countedFailures = 0;
  #refreshed = false;
  #run: AbortController | null = null;
  #promise: Promise<UploadResult> | null = null;
  #settle: { resolve: (result: UploadResult) => void; reject: (error: UploadError) => void } | null = null;
  #endWait: (() => void) | null = null;

  constructor(file: Blob, options: UploadOptions) {
    super();
    this.file = file;
    this.#options = options;
    const { name = 'blob', webkitRelativePath } = file as Partial<File>;
    this.name = options.fileName ?? name;
    this.relativePath = options.relativePath ?? (webkitRelativePath || name);
    this.size = file.size;
    this.#fileId = options.expectedId;
    this.#id = options.id ?? options.expectedId ?? null;
    this.#protocol = createProtocol(options);
    this.#transfer = createTransfer(file, this.name, options, this.#protocol, () => this.#getId(), hasAdvanced => this.#progress(hasAdvanced));
  }

  get state(): UploadState {
    return this.#state;
  }

  /** The bytes that the server has, and those that were sent since. It decreases if the server did not receive them. */
  get offset(): number {
    return Math.min(this.#transfer._confirmed + this.#transfer._sent, this.size);
  }

  /** The id, or null before it is computed. */
  get id(): string | null {
    return this.#id;
  }

  /** Why the upload failed or, in state `waiting`, why the last attempt failed. */
  get failure(): UploadFailure | null {
    return this.#failure;
  }

  /** The time of the next retry in state `waiting`, in milliseconds since 1970, or null. */
  get retryAt(): number | null {
    return this.#retryAt;
  }

  get result(): UploadResult | null {
    return this.#result;
  }

  /**
   * Starts or continues the upload. In state `waiting`, retries at once.
   * @returns a promise that is rejected with an `UploadError` if the upload fails or is canceled
   */
  start(): Promise<UploadResult> {
    if (isRunning(this.#state) || this.#state === 'completed') {
      this.#endWait?.();
      return this.#promise!;
    }

    if (!this.#settle) {
      this.#promise = new Promise((resolve, reject) => {
        this.#settle = { resolve, reject };
      });
      // The events report failures as well, so that a promise that the caller ignores is not an unhandled rejection.
      this.#promise.catch(() => {});
    }

    this.#run = new AbortController();
    this.#failures = this.#countedFailures = 0;
    this.#refreshed = false;
    void this.#runWithRetries(this.#run.signal, this.#failure?.reason === 'digest-mismatch');
    return this.#promise!;
  }

  /** Pauses the upload. The server keeps the received bytes. */
  pause(): void {
    if (isRunning(this.#state) || this.#state === 'idle') {
      this.#stop('paused');
    }
  }

  /** Continues a paused upload. */
  resume(): void {
    if (this.#state === 'paused') {
      void this.start();
    }
  }

  /** Cancels the upload and deletes it from the server. If the server cannot be reached, it deletes the upload when it expires. */
  async cancel(): Promise<void> {
    if (this.#state === 'completed' || this.#state === 'canceled') {
      return;
    }

    this.#stop('canceled');
    if (this.#id) {
      await this.#delete(this.#id);
    }
  }

  /** Returns the changes of state and offset until the upload is completed, failed or canceled. */
  async *[Symbol.asyncIterator](): AsyncGenerator<UploadSnapshot, void> {
    for (;;) {
      const listening = new AbortController();
      const change = new Promise(resolve => {
        for (const type of ['statechange', 'progress']) {
          this.addEventListener(type, resolve, { signal: listening.signal });
        }
      });
      const { state, offset, size } = this;
      try {
        yield { state, offset, size };
        if (['completed', 'failed', 'canceled'].includes(state)) {
          return;
        }

        await change;
      } finally {
        listening.abort();
      }
    }
  }

  async #runWithRetries(signal: AbortSignal, startsOver: boolean): Promise<void> {
    let isLocked = false;
    while (!signal.aborted) {
      try {
        this.#change('preparing');
        const id = await this.#getId();
        if (!isLocked) {
          isLocked = true;
          this.#lock(this.#protocol._url + id, signal);
        }

        await (startsOver ? this.#delete(id) : deletions.get(this.#protocol._url + id));
        startsOver = false;
        signal.throwIfAborted();
        this.#result = await this.#transfer._run(id, signal, () => this.#change('uploading'));
        this.#stop('completed');
      } catch (error) {
        if (!signal.aborted) {
          await this.#handle(error, signal);
        }
      }
    }
  }

  /** Computes the id again before each request and after the last, because the file can change. Firefox reads a changed file without an error. */
  async #getId(): Promise<string> {
    const fileId = await getFileId(this.file, this.relativePath);
    if ((this.#fileId ??= fileId) !== fileId) {
      throw fail('file-changed');
    }

    return this.#id ??= fileId;
  }

  /**
   * Stops the same upload in another tab, and is stopped by a later one with an AbortError. Frames without an origin have no locks. Firefox does not receive
   * the response of the server until it has sent the body.
   */
  #lock(name: string, signal: AbortSignal): void {
    navigator.locks?.request(name, { steal: true }, () => signal.aborted || new Promise(resolve => signal.addEventListener('abort', resolve)))
      .catch(({ name }) => signal.aborted || name !== 'AbortError' || this.#stop('failed', fail('taken-over').failure));
  }

  async #handle(error: unknown, signal: AbortSignal): Promise<void> {
    let cause = error instanceof UploadError ? error : retry('network', { detail: String(error) });
    if (cause.failure!.status === 401 && !this.#refreshed && typeof this.#options.headers === 'function') {
      this.#refreshed = this.#protocol._refresh = true;
      cause = retry('signed-out', cause.failure!, -1);
    }

    if (cause._delay === undefined || !isOffline() && !this.#transfer._isCompleting && ++this.#countedFailures > (this.#options.maxRetries ?? 20)) {
      this.#stop('failed', cause.failure);
      return;
    }

    const delay = getDelay(++this.#failures, cause._delay);
    const isNetwork = cause.failure!.reason === 'network';
    const ended = new AbortController();
    this.#endWait = () => ended.abort();
    signal.addEventListener('abort', this.#endWait, { signal: ended.signal });
    this.#retryAt = Date.now() + delay;
    this.#transfer._wasInterrupted = isNetwork;
    this.#change('waiting', cause.failure);
    await wait(delay, ended.signal, isNetwork);
    ended.abort();
    this.#retryAt = null;
  }

  #delete(id: string): Promise<void> {
    const key = this.#protocol._url + id;
    const deletion = this.#requestDeletion(id, deletions.get(key));
    deletions.set(key, deletion);
    return deletion;
  }

  async #requestDeletion(id: string, previous?: Promise<void>): Promise<void> {
    await previous;
    for (let i = 1; i < 4; i++) {
      try {
        return throwIfFailed(await this.#protocol._fetch('DELETE', undefined, id));
      } catch (error) {
        const { _delay } = error as UploadError;
        if (_delay === undefined) {
          return;
        }

        await wait(getDelay(i, _delay), new AbortController().signal, true);
      }
    }
  }

  #progress(hasAdvanced: boolean): void {
    if (hasAdvanced) {
      this.#failures = this.#countedFailures = 0;
      this.#refreshed = false;
    }

    this.dispatchEvent(new Event('progress'));
  }

  /** Ends the current run, and settles the promise unless the upload is paused. */
  #stop(state: UploadState, failure: UploadFailure | null = null): void {
    this.#run?.abort();
    this.#transfer._sent = 0;
    this.#retryAt = null;
    const settle = this.#settle;
    if (state !== 'paused') {
      this.#settle = null;
    }

    this.#change(state, failure);
    if (state === 'completed') {
      settle?.resolve(this.#result!);
    } else if (state !== 'paused') {
      settle?.reject(new UploadError(failure));
    }
  }

  #change(state: UploadState, failure: UploadFailure | null = null): void {
    this.#failure = failure;
    if (this.#state !== state) {
      this.#state = state;
      this.dispatchEvent(new Event('statechange'));
    }
  }
}
