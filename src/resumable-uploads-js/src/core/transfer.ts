import { fail, retry, UploadError } from './errors.js';
import { checkFile, encode } from './files.js';
import { getLimits, parseLimits } from './limits.js';
import type { Protocol } from './protocol.js';
import { isSuccess, throwIfFailed, type Response } from './response.js';
import type { UploadOptions, UploadResult } from './types.js';

/** The number of consecutive responses without progress that counts as a failure. */
const maxWithoutProgress = 5;

/** Smaller requests are not preceded by an empty one, and not split further if a server finds them too large. */
const smallSize = 1 << 20;

/** Per origin, whether the first status request succeeded. */
const firstRequests = new Map<string, Promise<boolean>>();
const usedUrls = new Set<string>();

/** Sends the bytes of one file that the server does not have. */
export class Transfer {
  /** The last offset that the server reported. */
  confirmed = 0;
  /** The bytes of the current request that were sent. */
  sent = 0;
  /** Whether the last attempt ended with a network error, which can hide a response. */
  wasInterrupted = false;
  /** Whether the upload is deleted from the server first. */
  startsOver = false;
  #maxAppendSize = Infinity;
  #hasSent = false;
  #highest = -1;
  #digest: string | undefined;

  constructor(
    private readonly file: Blob,
    private readonly name: string,
    private readonly options: UploadOptions,
    private readonly protocol: Protocol,
    private readonly onProgress: () => void,
  ) {}

  /** Sends the rest of the file and returns the response of the completed upload. */
  async run(id: string, signal: AbortSignal, onUploading: () => void): Promise<UploadResult> {
    const { size } = this.file;
    const limits = await getLimits(this.protocol);
    if (size > limits.maxSize) {
      throw fail('too-large', false, { limit: limits.maxSize });
    }

    await this.#computeDigest(signal);
    signal.throwIfAborted();
    if (this.startsOver) {
      throwIfFailed(await this.protocol.fetch('DELETE', { 'X-File-Id': id }, signal));
      this.startsOver = false;
    }

    const status = await this.#getStatus(id, signal);
    const hasProgress = status.offset! > this.#highest;
    this.#confirm(status.offset!);

    // An empty request gets the reasons to refuse the file before its bytes are sent: the response to a large request is lost if the server
    // responds early and closes the connection. It also carries the digest, because the server keeps nothing of an interrupted request with one.
    let isProbe = this.confirmed < size
      && (!!this.#digest || !this.confirmed && size > smallSize || this.wasInterrupted && !hasProgress);
    for (let withoutProgress = 0; withoutProgress < maxWithoutProgress;) {
      const offset = this.confirmed;
      if (offset > size) {
        throw fail('file-changed');
      }

      await checkFile(this.file);
      signal.throwIfAborted();
      const length = isProbe ? 0 : Math.min(this.options.chunkSize || Infinity, limits.maxAppendSize, this.#maxAppendSize, size - offset);
      if (!isProbe) {
        onUploading();
      }

      const response = await this.#append(id, offset, length, signal);
      signal.throwIfAborted();
      if (this.#limitAppendSize(response, length)) {
        continue;
      }

      throwIfFailed(response);
      if (response.complete || !length && offset === size && status.complete && response.complete === null && isSuccess(response.status)) {
        return this.#finish(id, response);
      }

      const isFinished = response.type === 'upload-complete';
      if (isFinished && !length && offset === size) {
        throw fail('rejected', false, response.details);
      }

      const confirmed = isFinished ? size : response.offset;
      if (confirmed === null || response.status !== 409 && response.complete === null) {
        // For example a login page. The next status request decides.
        throw retry('unsupported', response.details);
      }

      // An upload that starts over reports offset 0 and accepts no empty request there.
      if (!isProbe || response.status !== 409) {
        this.#hasSent ||= confirmed > offset;
        withoutProgress = confirmed > offset || isProbe ? 0 : withoutProgress + 1;
        this.#confirm(confirmed);
      }

      isProbe = false;
    }

    throw retry('server');
  }

  async #computeDigest(signal: AbortSignal): Promise<void> {
    if (this.options.digest && !this.#digest) {
      try {
        const bytes = await (await import('../sha256/index.js')).digestBlob(this.file, signal);
        this.#digest = `sha-256=:${btoa(String.fromCharCode(...bytes))}:`;
      } catch (error) {
        await checkFile(this.file);
        throw error;
      }
    }
  }

  async #getStatus(id: string, signal: AbortSignal): Promise<Response> {
    // The first response can set the cookie that identifies an anonymous owner. Concurrent first requests would each get another cookie.
    const { origin } = new URL(this.protocol.url);
    while (firstRequests.has(origin) && !await firstRequests.get(origin)) {
      // The first request failed.
    }

    signal.throwIfAborted();
    const request = this.protocol.fetch('GET', { 'X-File-Id': id }, signal);
    if (!firstRequests.has(origin)) {
      firstRequests.set(origin, request.then(() => true, () => !firstRequests.delete(origin)));
    }

    const response = await request;
    throwIfFailed(response);
    if (response.offset === null) {
      throw response.redirected || usedUrls.has(this.protocol.url) ? fail('signed-out', true, { status: response.status }) : fail('unsupported', false, { status: response.status });
    }

    usedUrls.add(this.protocol.url);
    return response;
  }

  #append(id: string, offset: number, length: number, signal: AbortSignal): Promise<Response> {
    const { size, type } = this.file;
    const headers: Record<string, string> = {
      'X-File-Id': id,
      'X-File-Name': encode(this.name),
      'X-File-Size': String(size),
      'X-Start-Byte': String(offset),
      'Content-Type': type || 'application/octet-stream',
    };
    if (this.#digest && !length) {
      headers['Repr-Digest'] = this.#digest;
    }

    return this.protocol.append(this.file.slice(offset, offset + length), headers, {
      signal,
      onProgress: sent => {
        if (!signal.aborted) {
          this.sent = sent;
          this.onProgress();
        }
      },
      // The handler may take any time. If the server has all bytes and did not complete the upload, the handler runs.
      onSilence: async () => offset + length < size || this.#getStatus(id, signal).then(status => status.complete || status.offset !== size, () => true),
    });
  }

  /** Limits the size of the next requests if a server or a proxy refused one because of its size. */
  #limitAppendSize({ status, headers, type }: Response, length: number): boolean {
    const isTooLarge = status === 413 && length > smallSize / 4 && (!type || type === 'append-too-large');
    if (isTooLarge) {
      this.#maxAppendSize = Math.min(parseLimits(headers).maxAppendSize, length >> 2);
      this.sent = 0;
    }

    return isTooLarge;
  }

  async #finish(id: string, { status, headers, body, details }: Response): Promise<UploadResult> {
    if (status >= 400) {
      throw fail('handler-failed', false, details);
    }

    if (this.#hasSent) {
      // Browsers compare the modification time only when they open the file. A file that was deleted does not affect the sent bytes.
      await checkFile(this.file).catch((error: UploadError) => {
        if (error.failure!.reason === 'file-changed') {
          throw error;
        }
      });
    }

    this.#confirm(this.file.size);
    return { kind: headers.has('X-Upload-Replayed') && !this.#hasSent ? 'already-completed' : 'completed', id, status, headers, body };
  }

  #confirm(offset: number): void {
    this.confirmed = offset;
    this.sent = 0;
    this.#highest = Math.max(this.#highest, offset);
    this.onProgress();
  }
}
