import { afterEach, beforeEach, vi } from 'vitest';
import { ResumableUpload, type UploadError, type UploadFailure, type UploadOptions } from '../src/index.js';
import { FakeServer, installServer, newUrl } from './browser.js';
import { installClock, until } from './clock.js';

/** The server and the URL of the current test. */
export let server: FakeServer;
export let url: string;

/** Gives each test of a file a fake network and a fake clock. */
export function useFakes(): void {
  beforeEach(() => {
    installClock();
    server = installServer();
    url = newUrl();
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
}

export const create = (file: Blob, options: Partial<UploadOptions> = {}): ResumableUpload => new ResumableUpload(file, { url, ...options });

/** Starts an upload, advances the clock until it fails, and returns why. */
export const failureOf = async (upload: ResumableUpload, step = 1000): Promise<UploadFailure | null> => {
  const ended = upload.start().then(() => null, (error: UploadError) => error.failure);
  await until(() => upload.state === 'failed', step);
  return ended;
};

/** Returns the start bytes of the appends. */
export const starts = (): number[] => server.sent('POST').map(request => Number(request.headers['X-Start-Byte']));

/** Lets the browser fail to read files, with the error of a file that was changed or deleted. */
export const failReads = (error: 'NotReadableError' | 'NotFoundError'): unknown =>
  vi.spyOn(Blob.prototype, 'arrayBuffer').mockImplementation(() => Promise.reject(new DOMException('', error)));
