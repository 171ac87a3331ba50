import { fail, retry, type UploadError } from './errors.js';
import { encode } from './files.js';
import { getLimits, parseLimits } from './limits.js';
import type { Protocol } from './protocol.js';
import { isSuccess, throwIfFailed, type Response } from './response.js';
import type { UploadOptions, UploadResult } from './types.js';

/** The number of consecutive responses without progress after which the upload is retried with a delay. */
const maxWithoutProgress = 5;

/** Files up to this size are sent without an empty request first, unless they have a digest or were interrupted. Requests up to this size are not split after a 413. */
const smallSize = 1 << 19;

/** The first status request of each origin, which resolves to whether it succeeded. */
const firstRequests = new Map<string, Promise<boolean>>();

/** Sends the bytes of one file that the server does not have. */
export interface Transfer {
  /** The last offset that the server reported. */
  _confirmed: number;
  /** The bytes of the current request that were sent. */
  _sent: number;
  /** Whether the last attempt ended with a network error, which can hide a response. */
  _wasInterrupted?: boolean;
  /** Whether the last attempt ended because the handler of the complete upload may still run. */
  _isCompleting?: boolean;
  /** Sends the rest of the file and returns the response of the completed upload. */
  _run(id: string, signal: AbortSignal, onUploading: () => void): Promise<UploadResult>;
}

/** @param check throws if the file has changed or cannot be read. During a request, both would look like a network error. */
export function createTransfer(
  file: Blob, name: string, options: UploadOptions, protocol: Protocol, check: () => Promise<unknown>, onProgress: (hasAdvanced: boolean) => void,
): Transfer {
  const { size, type } = file;
  let maxAppendSize = options.chunkSize || Infinity;
  let hasSent = false;
  let highest = -1;
  let digest: string | undefined;

  const confirm = (offset: number): void => {
    transfer._confirmed = offset;
    transfer._sent = 0;
    onProgress(offset > highest);
    highest = Math.max(highest, offset);
  };

  const computeDigest = async (signal: AbortSignal): Promise<void> => {
    try {
      const bytes = await (await import('../sha256/index.js')).digestBlob(file, signal);
      digest = `sha-256=:${btoa(String.fromCharCode(...bytes))}:`;
    } catch (error) {
      await check();
      throw error;
    }
  };

  const requestStatus = async (id: string, signal: AbortSignal, isFirst: boolean): Promise<Response> => {
    const response = await protocol._fetch('GET', signal, id);
    throwIfFailed(response);
    if (response._offset === null) {
      // A login page, or a page of a server without resumable uploads.
      throw fail(response._redirected || !isFirst ? 'signed-out' : 'unsupported', { status: response.status });
    }

    return response;
  };

  const getStatus = async (id: string, signal: AbortSignal): Promise<Response> => {
    const { origin } = new URL(protocol._url);
    // The first response can set the cookie that identifies an anonymous owner. Concurrent first requests would each get another cookie.
    while (firstRequests.has(origin) && !await firstRequests.get(origin)) {
      // The first request failed.
    }

    signal.throwIfAborted();
    const isFirst = !firstRequests.has(origin);
    const response = requestStatus(id, signal, isFirst);
    if (isFirst) {
      firstRequests.set(origin, response.then(() => true, () => !firstRequests.delete(origin)));
    }

    return response;
  };

  const append = (id: string, offset: number, length: number, signal: AbortSignal): Promise<Response> => protocol._append(file.slice(offset, offset + length), {
    'X-File-Id': id,
    'X-File-Name': encode(name),
    'X-File-Size': `${size}`,
    'X-Start-Byte': `${offset}`,
    'Content-Type': type || 'application/octet-stream',
    ...digest && !length && { 'Repr-Digest': digest },
  }, signal, sent => {
    if (!signal.aborted) {
      transfer._sent = sent;
      onProgress(false);
    }
  });

  const finish = async (id: string, { status, headers, body, _details }: Response): Promise<UploadResult> => {
    if (status >= 400) {
      throw fail('handler-failed', _details);
    }

    if (hasSent) {
      // A file that was deleted does not affect the sent bytes.
      await check().catch((error: UploadError) => {
        if (error.failure!.reason === 'file-changed') {
          throw error;
        }
      });
    }

    confirm(size);
    return { kind: headers.has('X-Upload-Replayed') && !hasSent ? 'already-completed' : 'completed', id, status, headers, body };
  };

  const transfer: Transfer = {
    _confirmed: 0,
    _sent: 0,
    async _run(id, signal, onUploading) {
      transfer._isCompleting = false;
      const limits = await getLimits(protocol);
      if (size > limits._maxSize) {
        throw fail('too-large', { limit: limits._maxSize });
      }

      if (options.digest && !digest) {
        await computeDigest(signal);
      }

      signal.throwIfAborted();
      const status = await getStatus(id, signal);
      signal.throwIfAborted();
      // The handler may run. Until it ends, empty requests wait for its response, and may take any time.
      transfer._isCompleting = !!status._complete;
      const hasProgress = status._offset! > highest;
      hasSent ||= hasProgress && highest >= 0;
      confirm(status._offset!);

      // An empty request first, so that a rejection arrives before the content is sent: the response to a large request is lost if the server responds
      // early and closes the connection. It also carries the digest, because the server discards an interrupted request that has one.
      let isProbe = transfer._confirmed < size
        && (!!digest || !transfer._confirmed && size > smallSize || transfer._wasInterrupted && !hasProgress);
      for (let withoutProgress = 0; withoutProgress < maxWithoutProgress;) {
        const offset = transfer._confirmed;
        if (offset > size) {
          throw fail('file-changed');
        }

        await check();
        signal.throwIfAborted();
        const length = isProbe ? 0 : Math.min(maxAppendSize, limits._maxAppendSize, size - offset);
        if (!isProbe) {
          onUploading();
        }

        const response = await append(id, offset, length, signal);
        signal.throwIfAborted();
        if (response.status === 413 && length > smallSize && (!response._type || response._type === 'append-too-large')) {
          // The server or a proxy limits the size of a request.
          maxAppendSize = Math.min(parseLimits(response.headers)._maxAppendSize, Math.floor(length / 4));
          continue;
        }

        transfer._isCompleting = response._type === 'still-completing';
        throwIfFailed(response);
        const isConflict = response.status === 409;
        hasSent ||= !!length && !isConflict;
        // If the handler redirected, the browser has followed to a page without the headers of the protocol. After a login page, the status request fails.
        if (response._complete
          || offset === size && status._complete && response._complete === null && isSuccess(response.status) && await requestStatus(id, signal, false)) {
          return finish(id, response);
        }

        const confirmed = response._type === 'upload-complete' ? size : response._offset;
        if (confirmed === null) {
          // For example a login page. The next status request decides.
          throw retry('unsupported', response._details);
        }

        // A 409 to the empty request leaves the offset unchanged: an upload that starts over reports 0 and rejects an empty request.
        if (!isProbe || !isConflict) {
          withoutProgress = confirmed > offset || isProbe ? 0 : withoutProgress + 1;
          confirm(confirmed);
        }

        isProbe = false;
      }

      throw retry('server');
    },
  };
  return transfer;
}
