import { Refusal, Setback, TakenOver, isOfType, judge } from './answer.js';
import { Backoff } from './backoff.js';
import { checkReadable, checkUnchanged } from './file-checks.js';
import { FileIdProtocol, fileIdOf } from './file-id-protocol.js';

/**
 * @typedef {'choose-again'|'waiting'|'checking'|'uploading'|'retrying'|'paused'|'taken-over'|'done'|'failed'|'cancelled'} UploadState
 */

/** The states in which an upload uses the network, or is about to. */
export const activeStates = new Set(['checking', 'uploading', 'retrying']);

/** Answers in a row that move nothing, before they count as a failure. */
const mostIdleAnswers = 5;

/**
 * One file's way to the server. It survives everything but the loss of the file: a broken connection, a server that is away,
 * a page that is closed and opened again.
 *
 * Fires `statechange` (detail: `{from, to}`) and `progress`.
 */
export class Upload extends EventTarget {
  #protocol;
  #file = null;
  #state = 'choose-again';
  #confirmed;
  #sent = 0;
  #run = null;
  #backoff = new Backoff();

  /** What is to be said about a failure, or null. @type {{title: string, detail?: string}|null} */
  problem = null;

  /** Why and until when the upload waits, or null. @type {{reason: string, title?: string, at: number}|null} */
  setback = null;

  /**
   * An upload whose file is not at hand, known from an earlier visit. See {@link Upload.of} for one with its file.
   * @param {{id: string, name: string, size: number, offset?: number}} known
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
   * An upload of a file, in state `waiting`.
   * @param {File} file
   * @param {FileIdProtocol} [protocol]
   */
  static of(file, protocol) {
    const upload = new Upload({ id: fileIdOf(file), name: file.name, size: file.size }, protocol);
    upload.attach(file);
    return upload;
  }

  /** @returns {UploadState} */
  get state() {
    return this.#state;
  }

  /** Bytes that the server has said it holds. */
  get confirmed() {
    return this.#confirmed;
  }

  /** Bytes that the server holds or that are on their way. May go back to the server's truth. */
  get offset() {
    return Math.min(this.#confirmed + this.#sent, this.size);
  }

  /** Gives the upload its file, and puts it into state `waiting`. @param {File} file one for which `fileIdOf` gives this id */
  attach(file) {
    this.#file = file;
    this.queue();
  }

  /** Makes an upload that is at rest wait for its start. */
  queue() {
    if (this.#file !== null && !activeStates.has(this.#state)) {
      this.#change('waiting');
    }
  }

  /** Starts, or goes on from what the server holds. */
  start() {
    if (this.#state === 'waiting') {
      this.#run = new AbortController();
      this.#goOn(this.#run.signal);
    }
  }

  /** Stops for now. What the server holds stays there. */
  pause() {
    this.#rest('paused');
  }

  /** Stops because somebody else goes on with this upload. */
  yield() {
    this.#rest('taken-over');
  }

  /** Somebody else has finished this upload. */
  finishedElsewhere() {
    this.#confirmed = this.size;
    this.#stop('done');
  }

  /** Ends a wait between two tries. */
  tryNow() {
    this.#backoff.end();
  }

  /**
   * Stops for good and removes what the server holds.
   * @returns {Promise<boolean>} false when the server could not be told; it drops the bytes when they expire
   */
  async cancel() {
    this.#stop('cancelled');
    try {
      return (await this.#protocol.remove(this.id)).status < 300;
    } catch {
      return false;
    }
  }

  #rest(state) {
    if (this.#state === 'waiting' || activeStates.has(this.#state)) {
      this.#stop(state);
    }
  }

  #stop(state) {
    this.#run?.abort();
    this.#run = null;
    this.#change(state);
  }

  async #goOn(signal) {
    this.#backoff = new Backoff();
    let cut = false;
    while (!signal.aborted) {
      try {
        this.#change('checking');
        this.#confirm(await this.#held(signal));
        const moved = this.#backoff.reached(this.#confirmed);
        await this.#sendRest(signal, cut && !moved);
        return;
      } catch (error) {
        if (signal.aborted) {
          return;
        }

        if (!(error instanceof Setback)) {
          this.#end(error);
          return;
        }

        cut = error.reason === 'connection';
        await this.#wait(error, signal);
      }
    }
  }

  async #held(signal) {
    const { offset } = judge(await this.#protocol.status(this.id, signal));
    if (offset === null) {
      throw new Setback('unexpected');
    }

    return offset;
  }

  /** Sends from the confirmed offset until the server calls the upload complete. */
  async #sendRest(signal, cut) {
    // A server that refuses early and closes may lose its answer to the bytes that still come in, and then a refusal looks like a
    // broken connection. The answer to an empty piece cannot get lost that way.
    let empty = cut;
    for (let idle = 0; idle < mostIdleAnswers;) {
      if (this.#confirmed > this.size) {
        throw new Refusal('The server holds more than this file has.', 'Cancel the upload and start it again.');
      }

      const offset = this.#confirmed;
      const piece = empty ? new Blob() : this.#file.slice(offset);
      await checkReadable(this.#file, offset);
      if (signal.aborted) {
        return;
      }

      this.#change('uploading');
      const answer = judge(await this.#protocol.send(this.id, this.#file, offset, piece, {
        signal,
        onProgress: sent => this.#progress(sent, signal),
      }));
      if (signal.aborted) {
        return;
      }

      if (answer.complete) {
        await checkUnchanged(this.#file, offset);
        if (signal.aborted) {
          return;
        }

        this.#confirm(this.size);
        this.#stop('done');
        return;
      }

      const finished = answer.status === 409 && isOfType(answer.problem, 'upload-complete');
      if (finished && piece.size === 0 && offset === this.size) {
        throw new Refusal(answer.problem.title ?? 'The server has another finished file here.', answer.problem.detail);
      }

      const held = finished ? this.size : answer.offset;
      if (held === null || (answer.status !== 409 && answer.complete === null)) {
        throw new Setback('unexpected');
      }

      idle = held > offset || empty ? 0 : idle + 1;
      empty = false;
      this.#confirm(held);
    }

    throw new Setback('unexpected');
  }

  async #wait(setback, signal) {
    this.#backoff.reached(this.#confirmed);
    const wait = this.#backoff.next(setback.wait);
    this.setback = { reason: setback.reason, title: setback.title, at: Date.now() + wait };
    this.#change('retrying');
    await this.#backoff.wait(wait, { signal, orOnline: setback.reason === 'connection' });
  }

  #end(error) {
    if (error instanceof TakenOver) {
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
    this.setback = state === 'retrying' ? this.setback : null;
    this.problem = state === 'failed' ? this.problem : null;
    this.dispatchEvent(new CustomEvent('statechange', { detail: { from, to: state } }));
  }
}
