import { getDelay, isOffline, wait } from './backoff.js';
import { fail, retry, RetryError, UploadError } from './errors.js';
import { checkFile, getFileId } from './files.js';
import { Protocol } from './protocol.js';
import { Transfer } from './transfer.js';
import { throwIfFailed } from './response.js';
import type { UploadFailure, UploadOptions, UploadResult, UploadSnapshot, UploadState } from './types.js';

const isRunning = (state: UploadState): boolean => state === 'preparing' || state === 'uploading' || state === 'waiting';

/**
 * The upload of one file. It continues after connection errors and server restarts, and in a later visit if the same file is chosen again.
 *
 * Dispatches `statechange` and `progress`.
 */
export class ResumableUpload extends EventTarget {
  readonly name: string;
  readonly relativePath: string;
  readonly size: number;
  readonly #protocol: Protocol;
  readonly #transfer: Transfer;
  #state: UploadState = 'idle';
  #failure: UploadFailure | null = null;
  #retryAt: number | null = null;
  #result: UploadResult | null = null;
  #id: string | null;
  #failures = 0;
  #highest = 0;
  #refreshed = false;
  #run: AbortController | null = null;
  #promise: Promise<UploadResult> | null = null;
  #settle: { resolve: (result: UploadResult) => void; reject: (error: UploadError) => void } | null = null;
  #endWait: (() => void) | null = null;

  constructor(readonly file: Blob, private readonly options: UploadOptions) {
    super();
    const { name = 'blob', webkitRelativePath } = file as Partial<File>;
    this.name = options.fileName ?? name;
    this.relativePath = options.relativePath ?? (webkitRelativePath || name);
    this.size = file.size;
    this.#id = options.id ?? null;
    this.#protocol = new Protocol(options);
    this.#transfer = new Transfer(file, this.name, options, this.#protocol, () => this.#progress());
  }

  get state(): UploadState {
    return this.#state;
  }

  /** The bytes that the server has, and those that were sent since. It decreases if the server did not receive them. */
  get offset(): number {
    return Math.min(this.#transfer.confirmed + this.#transfer.sent, this.size);
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
    this.#transfer.startsOver = this.#failure?.reason === 'digest-mismatch';
    this.#failures = 0;
    this.#refreshed = false;
    void this.#runWithRetries(this.#run.signal);
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

    this.#stop('canceled', null);
    if (this.#id) {
      await this.#delete(this.#id);
    }
  }

  /** Returns the changes of state and offset until the upload is completed, failed or canceled. */
  async *[Symbol.asyncIterator](): AsyncGenerator<UploadSnapshot, void> {
    let changed = false;
    let wake: (() => void) | undefined;
    const onChange = (): void => {
      changed = true;
      wake?.();
    };
    this.addEventListener('statechange', onChange);
    this.addEventListener('progress', onChange);
    try {
      for (;;) {
        changed = false;
        const { state, offset, size } = this;
        yield { state, offset, size };
        if (state === 'completed' || state === 'failed' || state === 'canceled') {
          return;
        }

        if (!changed) {
          await new Promise<void>(resolve => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.removeEventListener('statechange', onChange);
      this.removeEventListener('progress', onChange);
    }
  }

  async #runWithRetries(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#change('preparing');
        const id = await this.#getId();
        signal.throwIfAborted();
        this.#result = await this.#transfer.run(id, signal, () => this.#change('uploading'));
        this.#stop('completed');
      } catch (error) {
        if (!signal.aborted) {
          await this.#handle(error, signal);
        }
      }
    }
  }

  async #getId(): Promise<string> {
    await checkFile(this.file);
    if (!this.#id) {
      const id = await getFileId(this.file, this.relativePath);
      this.#id = this.options.expectedId ?? id;
      if (this.#id !== id) {
        throw fail('file-changed');
      }
    }

    return this.#id;
  }

  async #handle(error: unknown, signal: AbortSignal): Promise<void> {
    let cause = error instanceof UploadError || error instanceof RetryError ? error : retry('network', { detail: String(error) });
    if (cause.failure!.status === 401 && !this.#refreshed && typeof this.options.headers === 'function') {
      this.#refreshed = this.#protocol.refresh = true;
      cause = retry('signed-out', cause.failure!, -1);
    }

    if (cause instanceof UploadError || !isOffline() && ++this.#failures > (this.options.maxRetries ?? 20)) {
      this.#stop('failed', cause.failure);
      return;
    }

    const delay = getDelay(this.#failures, cause.delay);
    this.#retryAt = Date.now() + delay;
    this.#transfer.wasInterrupted = cause.failure.reason === 'network';
    this.#change('waiting', cause.failure);
    const awake = new AbortController();
    this.#endWait = () => awake.abort();
    signal.addEventListener('abort', this.#endWait);
    await wait(delay, awake.signal, cause.failure.reason === 'network');
    this.#endWait = this.#retryAt = null;
  }

  async #delete(id: string): Promise<void> {
    const { signal } = new AbortController();
    for (let i = 1; i < 4; i++) {
      try {
        return throwIfFailed(await this.#protocol.fetch('DELETE', { 'X-File-Id': id }, signal));
      } catch (error) {
        if (!(error instanceof RetryError)) {
          return;
        }

        await wait(getDelay(i, error.delay), signal, true);
      }
    }
  }

  #progress(): void {
    if (this.#transfer.confirmed > this.#highest) {
      this.#highest = this.#transfer.confirmed;
      this.#failures = 0;
      this.#refreshed = false;
    }

    this.dispatchEvent(new Event('progress'));
  }

  /** Ends the current run, and settles the promise unless the upload is paused. */
  #stop(state: UploadState, failure: UploadFailure | null = null): void {
    this.#run?.abort();
    this.#transfer.sent = 0;
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
