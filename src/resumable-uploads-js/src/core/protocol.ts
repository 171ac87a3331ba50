import { fail, retry } from './errors.js';
import { parseResponse, type Response } from './response.js';
import { StallWatch } from './stall-watch.js';
import type { UploadOptions } from './types.js';

export interface AppendOptions {
  signal: AbortSignal;
  onProgress: (sent: number) => void;
  /** Called when the body is sent and no response has arrived for the stall timeout. Returns whether the request should be aborted. */
  onSilence: () => Promise<boolean>;
}

/** Sends the requests of one upload with the file-id protocol. */
export class Protocol {
  readonly url: string;
  /** Whether the next request gets refreshed headers, because the last response had status 401. */
  refresh = false;

  constructor(private readonly options: UploadOptions) {
    this.url = new URL(options.url, globalThis.document?.baseURI).href;
  }

  get stallTimeout(): number {
    return this.options.stallTimeout ?? 30_000;
  }

  /** Sends a request without a body. The browser follows redirects; one that it may not follow shows that the session ended. */
  async fetch(method: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const all = { ...await this.#headers(), ...headers };
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    const timer = setTimeout(abort, this.stallTimeout);
    signal.addEventListener('abort', abort);
    const send = (redirect: RequestRedirect) => fetch(this.url, {
      method, headers: all, redirect, cache: 'no-store', credentials: this.options.credentials ?? 'same-origin', signal: controller.signal,
    });
    try {
      const response = await send('follow');
      return parseResponse(response.status, response.headers, await response.text(), response.redirected);
    } catch {
      // A redirect to a login page of another origin looks like a network error.
      if (await send('manual').then(response => response.type === 'opaqueredirect', () => false)) {
        throw fail('signed-out', true);
      }

      throw retry('network');
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Appends a part of the file. fetch does not report the progress of an upload. */
  async append(body: Blob, headers: Record<string, string>, { signal, onProgress, onSilence }: AppendOptions): Promise<Response> {
    const all = { ...await this.#headers(), ...headers };
    return new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      const abort = (): void => xhr.abort();
      const lost = (): void => reject(retry('network'));
      const watch = new StallWatch(this.stallTimeout, onSilence, () => {
        // Safari sometimes never ends a request, and possibly does not report that it was aborted either.
        reject(retry('network', {}, -1));
        xhr.abort();
        end();
      });
      const end = (): void => {
        watch.stop();
        signal.removeEventListener('abort', abort);
      };

      xhr.open('POST', this.url);
      xhr.withCredentials = this.options.credentials === 'include';
      for (const [name, value] of Object.entries(all)) {
        xhr.setRequestHeader(name, value);
      }

      xhr.upload.onprogress = event => {
        watch.progress(event.loaded >= body.size);
        onProgress(event.loaded);
      };
      xhr.upload.onload = () => watch.progress(true);
      xhr.onload = () => resolve(parseResponse(xhr.status, parseHeaders(xhr), xhr.responseText, !!xhr.responseURL && xhr.responseURL !== this.url.split('#')[0]));
      xhr.onerror = xhr.onabort = lost;
      xhr.onloadend = end;
      signal.addEventListener('abort', abort);
      if (signal.aborted) {
        lost();
        end();
        return;
      }

      watch.progress(body.size === 0);
      xhr.send(body);
    });
  }

  async #headers(): Promise<Record<string, string>> {
    const { headers } = this.options;
    if (typeof headers !== 'function') {
      return headers ?? {};
    }

    try {
      const result = await headers(this.refresh);
      this.refresh = false;
      return result;
    } catch (error) {
      throw retry('network', { title: String(error) });
    }
  }
}

function parseHeaders(xhr: XMLHttpRequest): Headers {
  const headers = new Headers();
  for (const line of xhr.getAllResponseHeaders().trim().split(/[\r\n]+/)) {
    const colon = line.indexOf(':');
    if (colon > 0) {
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
  }

  return headers;
}
