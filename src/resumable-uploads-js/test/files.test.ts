import { createHash, randomBytes } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { getFileId } from '../src/core/files.js';
import { digestBlob } from '../src/sha256/index.js';
import { newFile } from './browser.js';

afterEach(() => vi.unstubAllGlobals());

const idOf = (content: BlobPart, path = 'a.txt', lastModified = 1): Promise<string> => getFileId(new File([content], 'a.txt', { lastModified }), path);

test('id contains path, size, time and the digest of both ends', async () => {
  const file = new File(['hello'], 'b.txt', { lastModified: 5 });
  expect(await getFileId(file, 'ä/b.txt')).toBe(`%C3%A4%2Fb.txt-5-5-${createHash('sha256').update('hello'.repeat(2)).digest('hex')}`);
});

test('files that differ in one property have different ids', async () => {
  const large = new Uint8Array(300_000);
  const last = large.slice();
  last[299_999] = 1;
  const first = large.slice();
  first[0] = 1;
  const ids = await Promise.all([
    idOf('x'), idOf('y'), idOf('xx'), idOf('x', 'b/a.txt'), idOf('x', 'a.txt', 2), idOf(''), idOf(large), idOf(first), idOf(last),
  ]);
  expect(new Set(ids).size).toBe(ids.length);
  expect(await idOf(large)).toBe(ids[6]);
});

test('id of any path is short ASCII', async () => {
  const long = await idOf('x', 'ö'.repeat(5000));
  expect(long).toMatch(/^[\x21-\x7e]{1,1000}$/);
  expect(await idOf('x', 'ö'.repeat(5001))).not.toBe(long);
  expect(await idOf('x', '\ud800.txt')).toMatch(/^%EF%BF%BD\.txt-/);
});

test('id without Web Crypto is the same', async () => {
  const expected = await idOf('x');
  vi.stubGlobal('crypto', {});
  expect(await idOf('x')).toBe(expected);
});

test.each([0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 1000, (1 << 20) - 1, (1 << 20) + 1, 2_500_000])('SHA-256 of %i bytes is correct', async size => {
  const bytes = new Uint8Array(randomBytes(size));
  expect(Buffer.from(await digestBlob(new Blob([bytes]))).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('SHA-256 uses a worker, and continues without one if it is forbidden', async () => {
  const started: string[] = [];
  vi.stubGlobal('Worker', class {
    onmessage?: (event: { data: Uint8Array }) => void;
    constructor(_: string, { name }: WorkerOptions) {
      started.push(name!);
    }

    postMessage(): void {
      queueMicrotask(() => this.onmessage!({ data: new Uint8Array([1, 2, 3]) }));
    }

    terminate(): void {}
  });
  const file = newFile(2_000_000);
  expect(await digestBlob(file)).toEqual(new Uint8Array([1, 2, 3]));
  expect(started).toEqual(['resumable-uploads-sha256']);
  vi.stubGlobal('Worker', class {
    onerror?: (event: Event) => void;
    postMessage(): void {
      queueMicrotask(() => this.onerror!(new Event('error')));
    }

    terminate(): void {}
  });
  expect(await digestBlob(file)).toHaveLength(32);
});

test('SHA-256 is aborted', async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(digestBlob(newFile(3_000_000), controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
});
