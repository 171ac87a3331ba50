import { vi } from 'vitest';

/** The state of one upload on the fake server. */
export interface Stored {
  offset: number;
  size: number;
  complete: boolean;
  deleted: number;
}

export interface FakeRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Blob;
  /** The progress of the body, its end, and the end of the request. */
  progress(loaded: number): void;
  respond(status: number, headers?: Record<string, string>, body?: string): void;
  /** Ends the request as a lost connection does. */
  lose(): void;
  aborted: boolean;
}

type Handler = (request: FakeRequest, server: FakeServer) => void;

/** A server of the file-id protocol for `fetch` and `XMLHttpRequest`. */
export class FakeServer {
  readonly requests: FakeRequest[] = [];
  readonly uploads = new Map<string, Stored>();
  readonly online = new EventTarget();
  limits: Record<string, string> = {};
  isOnline = true;
  /** Handlers of the next requests. Without one, `handle` responds. */
  readonly next: { filter: (request: FakeRequest) => boolean; handler: Handler }[] = [];

  /** Handles the next request that a method name matches. `POST0` is an append without a body. */
  on(method: string, handler: Handler, times = 1): void {
    for (let i = 0; i < times; i++) {
      this.next.push({ filter: request => method === request.method || method === `${request.method}${request.body.size}`, handler });
    }
  }

  sent(method: string): FakeRequest[] {
    return this.requests.filter(request => request.method === method);
  }

  receive(request: FakeRequest): void {
    this.requests.push(request);
    const index = this.next.findIndex(({ filter }) => filter(request));
    queueMicrotask(() => {
      if (index >= 0) {
        this.next.splice(index, 1)[0]!.handler(request, this);
      } else {
        this.handle(request);
      }
    });
  }

  handle(request: FakeRequest): void {
    const id = request.headers['X-File-Id'] ?? '';
    const stored = this.uploads.get(id) ?? { offset: 0, size: 0, complete: false, deleted: 0 };
    this.uploads.set(id, stored);
    const headers = { 'X-Start-Byte': String(stored.offset), 'X-Upload-Complete': String(stored.complete) };
    if (request.method === 'OPTIONS') {
      request.respond(200, this.limits);
    } else if (request.method === 'DELETE') {
      this.uploads.set(id, { offset: 0, size: 0, complete: false, deleted: stored.deleted + 1 });
      request.respond(204);
    } else if (request.method === 'GET') {
      request.respond(200, headers, String(stored.offset));
    } else if (Number(request.headers['X-Start-Byte']) !== stored.offset) {
      problem(request, 409, 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset', { 'X-Start-Byte': String(stored.offset) });
    } else {
      request.progress(request.body.size);
      const replayed: Record<string, string> = stored.complete ? { 'X-Upload-Replayed': 'true' } : {};
      stored.offset += request.body.size;
      stored.complete = stored.offset === Number(request.headers['X-File-Size']);
      request.respond(200, { 'X-Start-Byte': String(stored.offset), 'X-Upload-Complete': String(stored.complete), ...replayed }, 'stored');
    }
  }
}

/** Responds with a problem. */
export function problem(request: FakeRequest, status: number, type: string, headers: Record<string, string> = {}): void {
  const full = type.includes(':') ? type : `urn:resumable-uploads:${type}`;
  request.respond(status, { 'Content-Type': 'application/problem+json', ...headers }, JSON.stringify({ type: full, title: `title of ${status}`, detail: 'detail', status }));
}

/** Installs the fake server as the network of the process. */
export function installServer(): FakeServer {
  const server = new FakeServer();
  vi.stubGlobal('document', { baseURI: 'https://app.example/page' });
  vi.stubGlobal('navigator', { get onLine() { return server.isOnline; } });
  vi.stubGlobal('addEventListener', server.online.addEventListener.bind(server.online));
  vi.stubGlobal('removeEventListener', server.online.removeEventListener.bind(server.online));
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => new Promise<Response>((resolve, reject) => {
    const lose = (): void => reject(new TypeError('Failed to fetch'));
    init.signal?.addEventListener('abort', () => reject(init.signal!.reason));
    server.receive({
      method: init.method!, url, headers: { ...init.headers as Record<string, string>, redirect: init.redirect! }, body: new Blob(), aborted: false, lose,
      progress: () => {},
      respond: (status, headers = {}, body = '') => {
        const response = new Response(status === 204 ? null : body, { status, headers });
        if (headers.redirected) {
          Object.defineProperty(response, 'redirected', { value: true });
        }

        resolve(headers.opaque ? { type: 'opaqueredirect' } as Response : response);
      },
    });
  }));
  vi.stubGlobal('XMLHttpRequest', class {
    upload: { onprogress?: (event: { loaded: number }) => void; onload?: () => void } = {};
    status = 0;
    responseText = '';
    withCredentials = false;
    onload?: () => void;
    onloadend?: () => void;
    #headers: Record<string, string> = {};
    #response: Record<string, string> = {};
    #request!: FakeRequest;
    #ended = false;
    #open = ['', ''];

    open(method: string, url: string): void {
      this.#open = [method, url];
    }

    setRequestHeader(name: string, value: string): void {
      this.#headers[name] = value;
    }

    getAllResponseHeaders(): string {
      return Object.entries(this.#response).map(([name, value]) => `${name.toLowerCase()}: ${value}\r\n`).join('');
    }

    send(body: Blob): void {
      this.#request = {
        method: this.#open[0]!, url: this.#open[1]!, headers: { ...this.#headers, credentials: String(this.withCredentials) }, body, aborted: false,
        progress: loaded => {
          if (!this.#ended) {
            this.upload.onprogress?.({ loaded });
            if (loaded >= body.size) {
              this.upload.onload?.();
            }
          }
        },
        respond: (status, headers = {}, text = '') => this.#end(() => {
          this.status = status;
          this.#response = headers;
          this.responseText = text;
          this.onload?.();
        }),
        lose: () => this.#end(() => {}),
      };
      server.receive(this.#request);
    }

    abort(): void {
      this.#request.aborted = true;
      this.#end(() => {});
    }

    #end(action: () => void): void {
      if (!this.#ended) {
        this.#ended = true;
        action();
        this.onloadend?.();
      }
    }
  });
  return server;
}

let lastId = 0;

/** Returns a URL that no other test has used, because limits and first requests are remembered per URL and origin. */
export const newUrl = (): string => `https://host${++lastId}.example/upload`;

export const newFile = (size: number, name = 'film.mp4'): File =>
  new File([new Uint8Array(size).fill(7)], name, { lastModified: 1_700_000_000_000, type: 'video/mp4' });
