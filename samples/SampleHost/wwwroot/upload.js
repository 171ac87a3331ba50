import { Backoff } from './backoff.js';
import { checkReadable, checkUnchanged } from './file-checks.js';
import { FileIdProtocol } from './file-id-protocol.js';
import { PermanentError, TakenOverError, TemporaryError, ensureUsable, hasProblemType } from './response.js';

/**
 * @typedef {'choose-again'|'waiting'|'checking'|'uploading'|'retrying'|'paused'|'taken-over'|'done'|'failed'|'cancelled'} UploadState
 */

/** The states in which an upload sends requests or waits for a retry. */
export const activeStates = new Set(['checking', 'uploading', 'retrying']);

/** The number of consecutive responses without progress that counts as a failure. */
const maxResponsesWithoutProgress = 5;

/**
 * The upload of one file. It resumes after connection errors, server restarts, and after the page was closed and opened again.
 *
 * Dispatches `statechange` (detail: `{from, to}`) and `progress`.
 */
export class Upload extends EventTarget {
  #protocol;
  #file = null;
  #state = 'choose-again';
  #confirmed;
  #sent = 0;
  #run = null;
  #backoff = new Backoff();

  /** The error of a failed upload, or null. @type {{title: string, detail?: string}|null} */
  problem = null;

  /** The reason and the time of the next retry, or null. @type {{reason: string, title?: string, at: number}|null} */
  retry = null;

  /**
   * Creates an upload from an earlier visit, whose file must be chosen again. See {@link Upload.fromFile} for a new upload.
   * @param {{id: string, name: string, size: number, offset?: number}} saved
   * @param {FileIdProtocol} [protocol]
   */
  constructor({ id, name, size, offset = 0 }, protocol = new FileIdProtocol()) {
    super();
    this.id = id;
    this.name = name;
    this.size = size;
    this.#confirmed = Math.min(offset, size);
    this.#protocol = protocol;
  }

  /**
   * Creates an upload of a file, in state `waiting`.
   * @param {string} id the file id of the file
   * @param {File} file
   * @param {FileIdProtocol} [protocol]
   */
  static fromFile(id, file, protocol) {
    const upload = new Upload({ id, name: file.name, size: file.size }, protocol);
    upload.attach(file);
    return upload;
  }

  /** @returns {UploadState} */
  get state() {
    return this.#state;
  }

  /** The last offset that the server confirmed. */
  get confirmed() {
    return this.#confirmed;
  }

  /** The confirmed and the sent bytes. It decreases if the server did not receive all sent bytes. */
  get offset() {
    return Math.min(this.#confirmed + this.#sent, this.size);
  }

  /** Sets the file and the state `waiting`. @param {File} file a file whose `getFileId` is the id of this upload */
  attach(file) {
    this.#file = file;
    this.queue();
  }

  /** Sets the state `waiting` if the upload is not active and has a file. */
  queue() {
    if (this.#file !== null && !activeStates.has(this.#state)) {
      this.#change('waiting');
    }
  }

  /** Starts the upload from the offset of the server. */
  start() {
    if (this.#state === 'waiting') {
      this.#run = new AbortController();
      this.#uploadWithRetries(this.#run.signal);
    }
  }

  /** Pauses the upload. The server keeps the received bytes. */
  pause() {
    this.#stopIfRunning('paused');
  }

  /** Stops because another tab continues this upload. */
  takeOver() {
    this.#stopIfRunning('taken-over');
  }

  /** Sets the state `done` after another tab has completed this upload. */
  completeElsewhere() {
    this.#confirmed = this.size;
    this.#stop('done');
  }

  /** Ends the delay before the next retry. */
  retryNow() {
    this.#backoff.end();
  }

  /**
   * Cancels the upload and deletes it from the server.
   * @returns {Promise<boolean>} false if the request failed; the server then deletes the upload when it expires
   */
  async cancel() {
    this.#stop('cancelled');
    try {
      return (await this.#protocol.delete(this.id)).status < 300;
    } catch {
      return false;
    }
  }

  #stopIfRunning(state) {
    if (this.#state === 'waiting' || activeStates.has(this.#state)) {
      this.#stop(state);
    }
  }

  #stop(state) {
    this.#run?.abort();
    this.#run = null;
    this.#change(state);
  }

  async #uploadWithRetries(signal) {
    this.#backoff = new Backoff();
    let wasInterrupted = false;
    while (!signal.aborted) {
      try {
        this.#change('checking');
        this.#confirm(await this.#getServerOffset(signal));
        const hasProgress = this.#backoff.recordOffset(this.#confirmed);
        await this.#sendRemaining(signal, wasInterrupted && !hasProgress);
        return;
      } catch (error) {
        if (signal.aborted) {
          return;
        }

        if (!(error instanceof TemporaryError)) {
          this.#fail(error);
          return;
        }

        wasInterrupted = error.reason === 'connection';
        await this.#waitForRetry(error, signal);
      }
    }
  }

  async #getServerOffset(signal) {
    const { offset } = ensureUsable(await this.#protocol.status(this.id, signal));
    if (offset === null) {
      throw new TemporaryError('unexpected');
    }

    return offset;
  }

  /** Sends from the confirmed offset until the server reports that the upload is complete. */
  async #sendRemaining(signal, sendEmptyFirst) {
    // If a server rejects a request early and closes the connection, its response can be lost while the client is still sending, and
    // the rejection looks like a connection error. The response to an empty chunk cannot be lost this way.
    let isEmpty = sendEmptyFirst;
    for (let withoutProgress = 0; withoutProgress < maxResponsesWithoutProgress;) {
      if (this.#confirmed > this.size) {
        throw new PermanentError('The server has more bytes than this file.', 'Cancel the upload and start it again.');
      }

      const offset = this.#confirmed;
      const chunk = isEmpty ? new Blob() : this.#file.slice(offset);
      await checkReadable(this.#file, offset);
      if (signal.aborted) {
        return;
      }

      this.#change('uploading');
      const response = ensureUsable(await this.#protocol.append(this.id, this.#file, offset, chunk, {
        signal,
        onProgress: sent => this.#progress(sent, signal),
      }));
      if (signal.aborted) {
        return;
      }

      if (response.complete) {
        await checkUnchanged(this.#file, offset);
        if (signal.aborted) {
          return;
        }

        this.#confirm(this.size);
        this.#stop('done');
        return;
      }

      const isFinished = response.status === 409 && hasProblemType(response.problem, 'upload-complete');
      if (isFinished && chunk.size === 0 && offset === this.size) {
        throw new PermanentError(response.problem.title ?? 'The server has a different finished file with the same name, size and date.', response.problem.detail);
      }

      const serverOffset = isFinished ? this.size : response.offset;
      if (serverOffset === null || (response.status !== 409 && response.complete === null)) {
        throw new TemporaryError('unexpected');
      }

      withoutProgress = serverOffset > offset || isEmpty ? 0 : withoutProgress + 1;
      isEmpty = false;
      this.#confirm(serverOffset);
    }

    throw new TemporaryError('unexpected');
  }

  async #waitForRetry(error, signal) {
    this.#backoff.recordOffset(this.#confirmed);
    const delay = this.#backoff.nextDelay(error.delay);
    this.retry = { reason: error.reason, title: error.title, at: Date.now() + delay };
    this.#change('retrying');
    await this.#backoff.wait(delay, { signal, orOnline: error.reason === 'connection' });
  }

  #fail(error) {
    if (error instanceof TakenOverError) {
      this.#stop('taken-over');
      return;
    }

    this.problem = { title: error.title ?? String(error), detail: error.detail };
    this.#stop('failed');
  }

  #confirm(offset) {
    this.#confirmed = offset;
    this.#sent = 0;
    this.dispatchEvent(new Event('progress'));
  }

  #progress(sent, signal) {
    if (!signal.aborted) {
      this.#sent = sent;
      this.dispatchEvent(new Event('progress'));
    }
  }

  #change(state) {
    const from = this.#state;
    if (state === from) {
      return;
    }

    this.#state = state;
    this.retry = state === 'retrying' ? this.retry : null;
    this.problem = state === 'failed' ? this.problem : null;
    this.dispatchEvent(new CustomEvent('statechange', { detail: { from, to: state } }));
  }
}
