import 'fake-indexeddb/auto';
import { beforeEach, expect, test, vi } from 'vitest';
import { UploadQueue, type QueueOptions, type ResumableUpload } from '../src/index.js';
import { type FakeRequest, newFile, newUrl, problem } from './browser.js';
import { settle, until } from './clock.js';
import { failReads, server, url, useFakes } from './setup.js';

let storage: string;

useFakes();
beforeEach(() => {
  storage = `database of ${url}`;
});

const create = (options: Partial<QueueOptions> = {}): UploadQueue => new UploadQueue({ url, storage, ...options });

const files = (count: number): File[] => Array.from({ length: count }, (_, i) => newFile(100 + i, `${i}.bin`));

const isDone = (queue: UploadQueue): boolean => queue.progress.completed === queue.progress.total;

/** Holds all appends, and returns them. */
const holdAppends = (): FakeRequest[] => {
  const held: FakeRequest[] = [];
  server.on('POST', request => held.push(request), 1000);
  return held;
};

const release = (held: FakeRequest[]): void => {
  server.next.length = 0;
  held.splice(0).filter(({ aborted }) => !aborted).forEach(request => server.handle(request));
};

const handleOf = (file: File, permission = 'granted'): FileSystemFileHandle => ({
  kind: 'file', name: file.name, getFile: () => Promise.resolve(file),
  queryPermission: () => Promise.resolve(permission), requestPermission: () => Promise.resolve(permission === 'prompt' ? 'granted' : permission),
}) as unknown as FileSystemFileHandle;

test('at most the concurrent number of uploads runs', async () => {
  const held = holdAppends();
  const queue = create({ concurrency: 2 });
  const events: string[] = [];
  for (const type of ['add', 'change', 'idle']) {
    queue.addEventListener(type, () => events.push(type));
  }

  const uploads = await queue.add(files(5));
  expect(queue.uploads).toEqual(uploads);
  let most = 0;
  await until(() => {
    most = Math.max(most, queue.progress.active);
    if (held.length === 2 || queue.progress.total - queue.progress.completed < 2) {
      held.splice(0).forEach(request => server.handle(request));
    }

    return isDone(queue);
  });
  expect(most).toBe(2);
  expect(queue.progress).toMatchObject({ total: 5, completed: 5, active: 0, failed: 0, offset: 510, size: 510 });
  expect(events.filter(type => type === 'add')).toHaveLength(5);
  expect(events.filter(type => type === 'idle')).toHaveLength(1);
});

test('file that is added twice is one upload, and equal names in folders are several', async () => {
  const queue = create({ autoStart: false });
  const [first] = await queue.add([newFile(10)]);
  expect(await queue.add([newFile(10)])).toEqual([first]);
  const added = await queue.add(['a/f', 'b/f'].map(relativePath => ({ file: newFile(10, 'f'), relativePath })));
  expect(new Set(added.map(({ id }) => id)).size).toBe(2);
  expect(queue.uploads).toHaveLength(3);
});

test('folder handles are walked, with paths relative to the folder', async () => {
  const folder = (name: string, children: unknown[]): FileSystemHandle => ({
    kind: 'directory', name, async *values() { yield* children; },
  }) as unknown as FileSystemHandle;
  const queue = create({ autoStart: false });
  const uploads = await queue.add([folder('top', [handleOf(newFile(1, 'x')), folder('sub', [handleOf(newFile(1, 'x'))])])]);
  expect(uploads.map(({ relativePath }) => relativePath)).toEqual(['top/x', 'top/sub/x']);
});

test('dropped folders are walked without File System Access, in batches', async () => {
  const entry = (file: File, fullPath: string) => ({ isFile: true, name: file.name, fullPath, file: (resolve: (file: File) => void) => resolve(file) });
  const batches = [[entry(newFile(1, 'x'), '/top/x')], [entry(newFile(2, 'y'), '/top/y')], []];
  const data = {
    items: [
      { webkitGetAsEntry: () => ({ isFile: false, name: 'top', fullPath: '/top', createReader: () => ({ readEntries: (resolve: (entries: unknown[]) => void) => resolve(batches.shift()!) }) }), getAsFile: () => null },
      { webkitGetAsEntry: () => null, getAsFile: () => newFile(3, 'pasted.png') },
      { webkitGetAsEntry: () => null, getAsFile: () => null },
    ],
  } as unknown as DataTransfer;
  const uploads = await create({ autoStart: false }).addDataTransfer(data);
  expect(uploads.map(({ relativePath }) => relativePath)).toEqual(['top/x', 'top/y', 'pasted.png']);
});

test('dropped files and folders that cannot be opened fail, and the others are added', async () => {
  const broken = { kind: 'file', name: 'broken', getFile: () => Promise.reject(new DOMException('', 'NotFoundError')) };
  const folder = { kind: 'directory', name: 'top', async *values() { yield* [handleOf(newFile(1, 'x')), broken, handleOf(newFile(2, 'y'))]; } };
  const entry = { isFile: true, name: 'lost', fullPath: '/lost', file: (_: unknown, reject: (error: unknown) => void) => reject(new DOMException('', 'NotFoundError')) };
  const locked = { isFile: false, name: 'locked', fullPath: '/locked', createReader: () => ({ readEntries: (_: unknown, reject: (error: unknown) => void) => reject(new Error()) }) };
  const items = [
    { getAsFile: () => null, getAsFileSystemHandle: () => Promise.resolve(folder) },
    ...[entry, locked].map(item => ({ getAsFile: () => null, webkitGetAsEntry: () => item })),
    { getAsFile: () => newFile(3, 'last') },
  ];
  const queue = create();
  const uploads = await queue.addDataTransfer({ items } as unknown as DataTransfer);
  expect(uploads.map(({ relativePath }) => relativePath)).toEqual(['top/x', 'top/broken', 'top/y', 'lost', 'locked', 'last']);
  await until(() => queue.progress.completed === 3 && queue.progress.failed === 3);
  expect(uploads.filter(({ failure }) => failure?.reason === 'file-unreadable').map(({ name }) => name)).toEqual(['broken', 'lost', 'locked']);
});

test('handles of dropped files are requested during the event', async () => {
  let isEvent = true;
  const items = files(3).map(file => ({
    getAsFile: () => isEvent ? file : null,
    getAsFileSystemHandle: () => isEvent ? Promise.resolve(handleOf(file)) : Promise.reject(new Error('too late')),
  }));
  const added = create({ autoStart: false }).addDataTransfer({ items } as unknown as DataTransfer);
  isEvent = false;
  expect(await added).toHaveLength(3);
});

test('unfinished uploads are pending after a reload, and continue when the same files are chosen', async () => {
  const held = holdAppends();
  const queue = create();
  await queue.add(files(30));
  await until(() => held.length === 3);
  queue.pause();
  server.next.length = 0;
  await settle();

  const reloaded = create();
  expect(await reloaded.restore()).toHaveLength(30);
  expect(reloaded.pending[0]).toMatchObject({ name: '0.bin', relativePath: '0.bin', size: 100, offset: 0 });
  let changes = 0;
  reloaded.addEventListener('pending', () => changes++);
  await reloaded.add([...files(30), newFile(5, 'another.bin')]);
  expect([reloaded.pending.length, reloaded.uploads.length, changes]).toEqual([0, 31, 30]);
  await until(() => isDone(reloaded));
  await settle();
  expect(await create().restore()).toEqual([]);
});

/** Lets other tabs hold the locks of uploads, and returns a function that releases one, and the names of the waiting requests. */
const installLocks = (...held: string[]) => {
  const waiting: { name: string; grant: () => void }[] = [];
  vi.stubGlobal('navigator', { onLine: true, locks: {
    query: () => Promise.resolve({ held: held.map(name => ({ name })) }),
    request: (name: string) => new Promise<void>(grant => waiting.push({ name, grant })),
  } });
  return {
    waiting: () => waiting.map(({ name }) => name).sort(),
    release: (name: string) => {
      held.splice(held.indexOf(name), 1);
      waiting.filter(request => request.name === name).forEach(request => waiting.splice(waiting.indexOf(request), 1)[0]!.grant());
    },
  };
};

test('uploads of another tab follow when they stop there, with one waiting request for each', async () => {
  const ids = (await create({ autoStart: false }).add(files(3))).map(({ id }) => id!);
  await settle();
  const names = ids.map(id => url + id).sort();
  const { release, waiting } = installLocks(...names);
  const queue = create();
  expect(await Promise.all([queue.restore(), queue.restore()])).toEqual([[], []]);
  for (let released = 0; released < 3; released++) {
    expect(waiting()).toEqual(names.slice(released));
    release(names[released]!);
    await until(() => queue.pending.length === released + 1);
  }

  expect(waiting()).toEqual([]);
});

test('upload of another tab that runs there again is waited for again', async () => {
  const [upload] = await create({ autoStart: false }).add(files(1));
  await settle();
  const name = url + upload!.id!;
  const { release, waiting } = installLocks(name, name);
  const queue = create();
  await queue.restore();
  release(name);
  await settle();
  expect([queue.pending.length, waiting()]).toEqual([0, [name]]);
  release(name);
  await until(() => queue.pending.length === 1);
});

test('browser that refuses locks uploads and restores', async () => {
  await create({ autoStart: false }).add(files(1));
  await settle();
  const refuse = (): Promise<never> => Promise.reject(new DOMException('', 'SecurityError'));
  const locks = { query: refuse, request: refuse };
  vi.stubGlobal('navigator', { onLine: true, locks });
  const queue = create();
  expect(await queue.restore()).toHaveLength(1);
  await queue.add(files(1));
  await until(() => queue.progress.active === 0 && queue.uploads[0]!.state !== 'idle');
  expect(queue.uploads[0]).toMatchObject({ state: 'completed', failure: null });

  const [other] = await create({ autoStart: false }).add([newFile(7)]);
  await settle();
  vi.stubGlobal('navigator', { onLine: true, locks: { ...locks, query: () => Promise.resolve({ held: [{ name: url + other!.id! }] }) } });
  expect(await create().restore()).toEqual([]);
  await settle();
});

test('pending uploads of another URL are not restored', async () => {
  await create({ autoStart: false }).add(files(1));
  await settle();
  expect(await create({ url: newUrl() }).restore()).toEqual([]);
  expect(await create({ storage: null }).restore()).toEqual([]);
  expect(await create().restore()).toHaveLength(1);
});

test('pending uploads with handles are opened again', async () => {
  const [granted, prompt, denied, changed] = files(4) as [File, File, File, File];
  await create({ autoStart: false }).add([granted, prompt, denied, changed]);
  await settle();
  const queue = create();
  await queue.restore();
  // The fake database cannot store functions.
  queue.pending.forEach((pending, i) => {
    pending.handle = handleOf(i === 3 ? newFile(1, '3.bin') : files(3)[i]!, ['granted', 'prompt', 'denied', 'granted'][i]);
  });
  const uploads = await queue.reopen();
  expect(uploads.map(({ name }) => name)).toEqual(['0.bin', '1.bin', '3.bin']);
  expect(queue.pending.map(({ name }) => name)).toEqual(['2.bin']);
  await until(() => queue.progress.completed === 2 && queue.progress.failed === 1);
  expect(uploads[2]!.failure).toMatchObject({ reason: 'file-changed' });
});

test('forgotten upload is deleted from the server and from storage', async () => {
  await create({ autoStart: false }).add(files(2));
  await settle();
  const queue = create();
  const [first] = await queue.restore();
  await queue.forget(first!);
  expect(queue.pending).toHaveLength(1);
  expect(server.uploads.get(first!.id)!.deleted).toBe(1);
  expect(await create().restore()).toHaveLength(1);
});

test('pending upload that another tab has completed stays on the server when it is removed', async () => {
  await create({ autoStart: false }).add(files(1));
  await settle();
  const queue = create();
  const [pending] = await queue.restore();
  const other = create();
  const [upload] = await other.add(files(1));
  await until(() => upload!.state === 'completed');
  await settle();
  await queue.forget(pending!);
  expect(queue.pending).toHaveLength(0);
  expect(server.sent('DELETE')).toHaveLength(0);
  await queue.forget(upload!);
  expect(server.uploads.get(upload!.id!)!.deleted).toBe(1);
});

test('pending upload that another field has completed stays on the server when it is removed', async () => {
  await create({ autoStart: false }).add(files(1));
  await settle();
  const other = create({ storage: `${storage}-other` });
  await other.add(files(1));
  await until(() => isDone(other));
  const queue = create();
  const [pending] = await queue.restore();
  await queue.forget(pending!);
  expect(queue.pending).toHaveLength(0);
  expect(server.sent('DELETE')).toHaveLength(0);
  expect(await create().restore()).toHaveLength(0);
});

test('queue without IndexedDB uploads', async () => {
  vi.stubGlobal('indexedDB', undefined);
  const queue = create();
  await queue.add(files(2));
  await until(() => isDone(queue));
  expect(await queue.restore()).toEqual([]);
});

test('paused queue starts nothing, and resume() keeps the limit', async () => {
  const held = holdAppends();
  const queue = create({ concurrency: 2 });
  const uploads = await queue.add(files(6));
  await until(() => held.length === 2);
  queue.pause();
  expect(queue.isPaused).toBe(true);
  expect(uploads.map(({ state }) => state)).toEqual(['paused', 'paused', 'idle', 'idle', 'idle', 'idle']);
  await settle();
  expect(held.every(({ aborted }) => aborted)).toBe(true);
  queue.resume();
  expect(uploads.map(({ state }) => state)).toEqual(['preparing', 'preparing', 'idle', 'idle', 'idle', 'idle']);
  release(held);
  await until(() => isDone(queue));
});

test('upload that its user paused stays paused', async () => {
  const queue = create({ autoStart: false });
  const [first] = await queue.add(files(2));
  first!.pause();
  queue.resume();
  await until(() => queue.progress.completed === 1);
  expect(first!.state).toBe('paused');
  first!.resume();
  await until(() => isDone(queue));
});

test('canceled uploads are removed, and the queue continues', async () => {
  const held = holdAppends();
  const queue = create({ concurrency: 1 });
  const removed: ResumableUpload[] = [];
  queue.addEventListener('remove', event => removed.push((event as CustomEvent<ResumableUpload>).detail));
  const uploads = await queue.add(files(3));
  await until(() => held.length === 1);
  const canceled = uploads[0]!.cancel();
  expect([queue.uploads.length, removed]).toEqual([2, [uploads[0]]]);
  await until(() => held.length === 2);
  await canceled;
  await queue.cancel();
  await settle();
  expect([queue.uploads.length, server.sent('DELETE').length]).toEqual([0, 3]);
  expect(await create().restore()).toEqual([]);
});

test('retry() starts the failed uploads that can succeed', async () => {
  server.on('POST', request => problem(request, 401, 'sign-in'));
  const queue = create({ concurrency: 1 });
  const [first] = await queue.add([newFile(10)]);
  await until(() => first!.state === 'failed');
  server.on('POST', request => problem(request, 422, 'refused'));
  const [second] = await queue.add([newFile(11)]);
  await until(() => second!.state === 'failed');
  queue.retry();
  await until(() => first!.state === 'completed');
  expect([second!.state, queue.progress.failed]).toEqual(['failed', 1]);
  expect((await create().restore())).toEqual([]);
  queue.clearFinished();
  expect(queue.uploads).toEqual([second]);
  await queue.add([newFile(11)]);
  await until(() => queue.progress.completed === 1);
  expect(queue.uploads).toHaveLength(1);
});

test('page warns before it is left only while uploads run', async () => {
  const held = holdAppends();
  const leave = (): boolean => server.online.dispatchEvent(new Event('beforeunload', { cancelable: true }));
  const queue = create();
  expect(leave()).toBe(true);
  await queue.add(files(2));
  await until(() => held.length === 2);
  expect(leave()).toBe(false);
  release(held);
  await until(() => isDone(queue));
  expect(leave()).toBe(true);
});

test('rate and remaining time are measured while bytes are sent', async () => {
  const held = holdAppends();
  const queue = create();
  await queue.add([newFile(10_000)]);
  await until(() => held.length === 1);
  for (let i = 1; i <= 5; i++) {
    vi.advanceTimersByTime(1001);
    held[0]!.progress(i * 1000);
  }

  expect(queue.progress.bytesPerSecond).toBeGreaterThan(900);
  expect(queue.progress.bytesPerSecond).toBeLessThan(1100);
  expect(queue.progress.secondsLeft).toBeCloseTo(5, 0);
  vi.advanceTimersByTime(15_000);
  expect(queue.progress).toMatchObject({ bytesPerSecond: 0, secondsLeft: null });
});

test('file that cannot be read is added, and fails', async () => {
  failReads('NotReadableError');
  const queue = create();
  const [upload] = await queue.add([newFile(10)]);
  await until(() => upload!.state === 'failed');
  expect(upload!.failure!.reason).toBe('file-changed');
});
