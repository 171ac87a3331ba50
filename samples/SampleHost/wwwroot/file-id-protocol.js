import { TemporaryError, parseResponse } from './response.js';

/** @typedef {import('./response.js').UploadResponse} UploadResponse */

/** The maximum length of a file id that the server accepts, in bytes. */
const maxFileIdLength = 1024;

const statusTimeout = 20_000;
const stallTimeout = 60_000;

/** The number of bytes at each end of a file whose digest is part of its id. */
const digestedBytes = 65536;

/**
 * Returns the file id of a file. Choosing the same file again results in the same id. Files of the same name, size and date, which archives
 * often contain, differ in the relative path or in the digest of their ends.
 * @param {File} file
 * @returns {Promise<string>} an ASCII string, which every browser accepts as a header value
 */
export async function getFileId(file) {
  const id = encode(`${file.webkitRelativePath || file.name}-${file.size}-${file.lastModified}`) + await getDigest(file);
  if (id.length <= maxFileIdLength) {
    return id;
  }

  // Keep the end, which contains the size, the date and the digest, and replace the rest by a hash.
  return `${hash(id)}-${id.slice(-(maxFileIdLength - 20))}`;
}

/** Sends the requests of the file-id protocol. It has no state. */
export class FileIdProtocol {
  #statusUrl;
  #uploadUrl;

  /** @param {{statusUrl?: string, uploadUrl?: string}} [urls] relative to the page by default */
  constructor({ statusUrl = 'status', uploadUrl = 'upload' } = {}) {
    this.#statusUrl = statusUrl;
    this.#uploadUrl = uploadUrl;
  }

  /**
   * Gets the number of bytes that the server has stored. The server first stops a running append to the same upload.
   * @param {string} id
   * @param {AbortSignal} signal
   * @returns {Promise<UploadResponse>}
   */
  status(id, signal) {
    return this.#fetch(this.#statusUrl, 'GET', id, signal);
  }

  /**
   * Deletes the upload from the server.
   * @param {string} id
   * @returns {Promise<UploadResponse>}
   */
  delete(id) {
    return this.#fetch(this.#uploadUrl, 'DELETE', id, new AbortController().signal);
  }

  /**
   * Appends a chunk of the file.
   * @param {string} id
   * @param {File} file the whole file, for its name, size and type
   * @param {number} offset the offset of the chunk
   * @param {Blob} chunk
   * @param {{signal: AbortSignal, onProgress: (sent: number) => void}} options
   * @returns {Promise<UploadResponse>} rejects with a `TemporaryError` if the connection fails
   */
  append(id, file, offset, chunk, { signal, onProgress }) {
    return new Promise((resolve, reject) => {
      // fetch does not report upload progress.
      const xhr = new XMLHttpRequest();
      const abort = () => xhr.abort();
      const fail = () => reject(new TemporaryError('connection'));
      let stallTimer;
      // A dead connection is not reported for many minutes. Aborting loses nothing: the server keeps the received bytes.
      const restartStallTimer = () => {
        clearTimeout(stallTimer);
        stallTimer = setTimeout(abort, stallTimeout);
      };

      xhr.open('POST', this.#uploadUrl);
      xhr.setRequestHeader('X-File-Id', id);
      xhr.setRequestHeader('X-File-Name', encode(file.name));
      xhr.setRequestHeader('X-File-Size', String(file.size));
      xhr.setRequestHeader('X-Start-Byte', String(offset));
      xhr.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
      xhr.upload.onprogress = event => {
        restartStallTimer();
        onProgress(event.loaded);
      };
      xhr.onload = () => resolve(parseResponse(xhr.status, name => xhr.getResponseHeader(name), xhr.responseText));
      xhr.onerror = fail;
      xhr.onabort = fail;
      xhr.onloadend = () => {
        clearTimeout(stallTimer);
        signal.removeEventListener('abort', abort);
      };
      signal.addEventListener('abort', abort);
      restartStallTimer();
      xhr.send(chunk);
    });
  }

  async #fetch(url, method, id, signal) {
    try {
      const response = await fetch(url, {
        method,
        headers: { 'X-File-Id': id },
        cache: 'no-store',
        signal: AbortSignal.any([signal, AbortSignal.timeout(statusTimeout)]),
      });
      return parseResponse(response.status, name => response.headers.get(name), await response.text());
    } catch {
      throw new TemporaryError('connection');
    }
  }
}

/** Returns a hyphen and a digest of both ends of a file, or an empty string if the browser cannot compute or read it. */
async function getDigest(file) {
  try {
    const ends = new Blob([file.slice(0, digestedBytes), file.slice(-digestedBytes)]);
    // Browsers define subtle only on HTTPS and localhost.
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await ends.arrayBuffer()));
    return `-${Array.from(hash, byte => byte.toString(16).padStart(2, '0')).join('')}`;
  } catch {
    return '';
  }
}

function encode(text) {
  // Some file systems allow unpaired surrogates in names, and encodeURIComponent throws for them.
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\uFFFD'));
}

/** Returns two FNV-1a hashes in hexadecimal, forwards and backwards. They need not be secure. */
function hash(text) {
  let forward = 0x811c9dc5;
  let backward = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    forward = Math.imul(forward ^ text.charCodeAt(i), 0x01000193);
    backward = Math.imul(backward ^ text.charCodeAt(text.length - 1 - i), 0x01000193);
  }

  return [forward, backward].map(half => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
