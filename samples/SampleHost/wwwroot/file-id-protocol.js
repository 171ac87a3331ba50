import { Setback, read } from './answer.js';

/** @typedef {import('./answer.js').Answer} Answer */

/** The server takes at most this many bytes of file id. */
const longestFileId = 1024;

const statusTimeout = 20_000;
const stallTimeout = 60_000;

/**
 * The name of a file's upload: the same file chosen again gives the same one.
 * @param {File} file
 * @returns {string} ASCII, so that every browser takes it as a header value
 */
export function fileIdOf(file) {
  const id = encode(`${file.name}-${file.size}-${file.lastModified}`);
  if (id.length <= longestFileId) {
    return id;
  }

  // A long name in a script of three bytes a letter. The end, with size and date, stays as it is.
  return `${fingerprint(id)}-${id.slice(-(longestFileId - 20))}`;
}

/** The requests of the file-id header protocol. No state: each gives what the server answered. */
export class FileIdProtocol {
  #statusUrl;
  #uploadUrl;

  /** @param {{statusUrl?: string, uploadUrl?: string}} [urls] relative to the page unless told otherwise */
  constructor({ statusUrl = 'status', uploadUrl = 'upload' } = {}) {
    this.#statusUrl = statusUrl;
    this.#uploadUrl = uploadUrl;
  }

  /**
   * Asks how many bytes the server holds. That ends an upload of the same file that is still running elsewhere.
   * @param {string} id
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  status(id, signal) {
    return this.#fetch(this.#statusUrl, 'GET', id, signal);
  }

  /**
   * Removes what the server holds.
   * @param {string} id
   * @returns {Promise<Answer>}
   */
  remove(id) {
    return this.#fetch(this.#uploadUrl, 'DELETE', id, new AbortController().signal);
  }

  /**
   * Sends a piece of the file.
   * @param {string} id
   * @param {File} file the whole file, for its name, size and type
   * @param {number} offset where the piece begins
   * @param {Blob} piece what to send
   * @param {{signal: AbortSignal, onProgress: (sent: number) => void}} options
   * @returns {Promise<Answer>} rejects with a `Setback` when the connection breaks
   */
  send(id, file, offset, piece, { signal, onProgress }) {
    return new Promise((resolve, reject) => {
      // fetch cannot tell how much of a body has been sent.
      const xhr = new XMLHttpRequest();
      const abort = () => xhr.abort();
      const lost = () => reject(new Setback('connection'));
      let stall;
      // A dead line gives no error for many minutes. Nothing is lost by asking again: what arrived counts.
      const watch = () => {
        clearTimeout(stall);
        stall = setTimeout(abort, stallTimeout);
      };

      xhr.open('POST', this.#uploadUrl);
      xhr.setRequestHeader('X-File-Id', id);
      xhr.setRequestHeader('X-File-Name', encode(file.name));
      xhr.setRequestHeader('X-File-Size', String(file.size));
      xhr.setRequestHeader('X-Start-Byte', String(offset));
      xhr.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
      xhr.upload.onprogress = event => {
        watch();
        onProgress(event.loaded);
      };
      xhr.onload = () => resolve(read(xhr.status, name => xhr.getResponseHeader(name), xhr.responseText));
      xhr.onerror = lost;
      xhr.onabort = lost;
      xhr.onloadend = () => {
        clearTimeout(stall);
        signal.removeEventListener('abort', abort);
      };
      signal.addEventListener('abort', abort);
      watch();
      xhr.send(piece);
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
      return read(response.status, name => response.headers.get(name), await response.text());
    } catch {
      throw new Setback('connection');
    }
  }
}

function encode(text) {
  // A name with half a surrogate pair is legal on some disks, and encodeURIComponent throws on it.
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\uFFFD'));
}

/** Two FNV-1a hashes, so that long names with the same end differ. Nothing here has to be secret. */
function fingerprint(text) {
  let forward = 0x811c9dc5;
  let backward = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    forward = Math.imul(forward ^ text.charCodeAt(i), 0x01000193);
    backward = Math.imul(backward ^ text.charCodeAt(text.length - 1 - i), 0x01000193);
  }

  return [forward, backward].map(half => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
