import { fail, retry } from './errors.js';
import { parseResponse, type Response } from './response.js';
import { watchStall } from './stall-watch.js';
import type { UploadOptions } from './types.js';

export interface AppendOptions {
  _signal: AbortSignal;
  _onProgress: (sent: number) => void;
  /** Called when the body is sent and no response has arrived for the stall timeout. Returns whether the request should be aborted. */
  _onSilence: () => Promise<boolean>;
}

/** Sends the requests of one upload with the file-id protocol. */
export interface Protocol {
  readonly _url: string;
  /** Whether the next request gets refreshed headers, because the last response had status 401. */
  _refresh: boolean;
  /** Sends a request without a body. */
  _fetch(method: string, signal?: AbortSignal, id?: string): Promise<Response>;
  /** Appends a part of the file. */
  _append(body: Blob, headers: Record<string, string>, options: AppendOptions): Promise<Response>;
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
    async _append(body, headers, { _signal, _onProgress, _onSilence }) {
      const all = { ...await getHeaders(), ...headers };
      return new Promise((resolve, reject) => {
        // fetch does not report the progress of an upload.
        const xhr = new XMLHttpRequest();
        const abort = (): void => xhr.abort();
        const watch = watchStall(stallTimeout, _onSilence, () => {
          // Safari sometimes never ends a request, and possibly does not report that it was aborted either.
          reject(retry('network', {}, -1));
          abort();
          end();
        });
        const end = (): void => {
          watch._stop();
          _signal.removeEventListener('abort', abort);
          reject(retry('network'));
        };

        xhr.open('POST', protocol._url);
        xhr.withCredentials = credentials === 'include';
        for (const [name, value] of Object.entries(all)) {
          xhr.setRequestHeader(name, value);
        }

        xhr.upload.onprogress = event => {
          watch._progress(event.loaded >= body.size);
          _onProgress(event.loaded);
        };
        xhr.upload.onload = () => watch._progress(true);
        xhr.onload = () => resolve(parseResponse(xhr.status, parseHeaders(xhr), xhr.responseText, false));
        // After onload, the promise is already resolved.
        xhr.onloadend = end;
        _signal.addEventListener('abort', abort);
        if (_signal.aborted) {
          end();
        } else {
          watch._progress(!body.size);
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
