import { fail, retry } from './errors.js';
import { parseResponse, type Response } from './response.js';
import type { UploadOptions } from './types.js';

/** Sends the requests of one upload with the file-id protocol. */
export interface Protocol {
  readonly _url: string;
  /** Whether the next request gets refreshed headers, because the last response had status 401. */
  _refresh: boolean;
  /** Sends a request without a body. */
  _fetch(method: string, signal?: AbortSignal, id?: string): Promise<Response>;
  /** Appends a part of the file. */
  _append(body: Blob, headers: Record<string, string>, signal: AbortSignal, onProgress: (sent: number) => void): Promise<Response>;
}

export function createProtocol({ url, headers, credentials = 'same-origin', stallTimeout = 30_000 }: UploadOptions): Protocol {
  const protocol: Protocol = {
    _url: new URL(url, document.baseURI).href,
    _refresh: false,
    async _fetch(method, signal, id) {
      const all = { ...await getHeaders(), ...id && { 'X-File-Id': id } };
      const timeout = AbortSignal.timeout(stallTimeout);
      const send = (redirect: RequestRedirect) => fetch(protocol._url, {
        method, headers: all, redirect, cache: 'no-store', credentials, signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      try {
        const response = await send('follow');
        return parseResponse(response.status, response.headers, await response.text(), response.redirected);
      } catch {
        // A redirect to a login page of another origin looks like a network error.
        throw await send('manual').then(response => response.type === 'opaqueredirect', () => false) ? fail('signed-out') : retry('network');
      }
    },
    async _append(body, headers, signal, onProgress) {
      const all = { ...await getHeaders(), ...headers };
      return new Promise((resolve, reject) => {
        // fetch does not report the progress of an upload.
        const xhr = new XMLHttpRequest();
        const abort = (): void => xhr.abort();
        let timer: ReturnType<typeof setTimeout>;
        // A dead connection is reported after many minutes. Safari sometimes never ends a request, and possibly does not report its end either.
        // Nothing is lost: the server keeps the received bytes, and does not interrupt a handler that runs.
        const watch = (): void => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            reject(retry('network', {}, -1));
            abort();
            end();
          }, stallTimeout);
        };
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          reject(retry('network'));
        };

        xhr.open('POST', protocol._url);
        xhr.withCredentials = credentials === 'include';
        for (const [name, value] of Object.entries(all)) {
          xhr.setRequestHeader(name, value);
        }

        xhr.upload.onprogress = event => {
          watch();
          onProgress(event.loaded);
        };
        xhr.upload.onload = watch;
        xhr.onload = () => resolve(parseResponse(xhr.status, parseHeaders(xhr), xhr.responseText, false));
        // After onload, the promise is already resolved.
        xhr.onloadend = end;
        signal.addEventListener('abort', abort);
        if (signal.aborted) {
          end();
        } else {
          watch();
          xhr.send(body);
        }
      });
    },
  };
  const getHeaders = async (): Promise<Record<string, string> | undefined> => {
    if (typeof headers !== 'function') {
      return headers;
    }

    try {
      const result = await headers(protocol._refresh);
      protocol._refresh = false;
      return result;
    } catch (error) {
      throw retry('network', { title: String(error) });
    }
  };
  return protocol;
}

const parseHeaders = (xhr: XMLHttpRequest): Headers =>
  new Headers([...xhr.getAllResponseHeaders().matchAll(/^(.+?): *(.*?)\r?$/gm)].map(([, name, value]): [string, string] => [name!, value!]));
