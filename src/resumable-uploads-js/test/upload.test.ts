import { expect, test, vi } from 'vitest';
import { type FakeRequest, newFile, problem } from './browser.js';
import { advance, settle, until } from './clock.js';
import { create, failureOf, server, starts, useFakes } from './setup.js';

useFakes();

test('file is sent in one request with the headers of the protocol', async () => {
  const upload = create(newFile(1000, 'Ü b.txt'));
  expect([upload.state, upload.id, upload.offset]).toEqual(['idle', null, 0]);
  const result = await upload.start();
  expect(result).toMatchObject({ kind: 'completed', status: 200, body: 'stored', id: upload.id });
  expect(result.headers.get('x-upload-complete')).toBe('true');
  expect([upload.state, upload.offset, upload.result]).toEqual(['completed', 1000, result]);
  expect(server.requests.map(({ method, body }) => `${method} ${body.size}`)).toEqual(['OPTIONS 0', 'GET 0', 'POST 1000']);
  expect(server.sent('POST')[0]!.headers).toMatchObject({
    'X-File-Id': upload.id, 'X-File-Name': '%C3%9C%20b.txt', 'X-File-Size': '1000', 'X-Start-Byte': '0', 'Content-Type': 'video/mp4',
  });
  expect(await upload.start()).toBe(result);
});

test('empty file is completed by an empty request', async () => {
  expect(await create(newFile(0)).start()).toMatchObject({ kind: 'completed' });
  expect(server.sent('POST')).toHaveLength(1);
});

test('large file is preceded by an empty request, so that a refusal arrives before its bytes', async () => {
  server.on('POST0', request => problem(request, 415, 'refused'));
  const upload = create(newFile(3_000_000));
  expect(await failureOf(upload)).toMatchObject({ reason: 'type-refused', status: 415, title: 'title of 415', detail: 'detail', canRetry: false });
  expect(server.sent('POST').map(({ body }) => body.size)).toEqual([0]);
});

test('limits are requested once per URL, and a file that is too large is not sent', async () => {
  server.limits = { 'Upload-Limit': 'max-size=5000, min-size=0, max-append-size=2000' };
  expect(await failureOf(create(newFile(5001)))).toEqual({ reason: 'too-large', limit: 5000, canRetry: false });
  await create(newFile(5000)).start();
  expect(server.sent('OPTIONS')).toHaveLength(1);
  expect(starts()).toEqual([0, 2000, 4000]);
});

test('limits that cannot be requested do not stop the upload', async () => {
  server.on('OPTIONS', request => request.lose(), 2);
  await create(newFile(10)).start();
  await create(newFile(11)).start();
  // The second request of the first upload detects a redirect.
  expect(server.sent('OPTIONS')).toHaveLength(3);
});

test('chunks are sent with the size of chunkSize', async () => {
  await create(newFile(2500), { chunkSize: 1000 }).start();
  expect(server.sent('POST').map(({ body }) => body.size)).toEqual([1000, 1000, 500]);
  expect(starts()).toEqual([0, 1000, 2000]);
});

test('request that a proxy finds too large is split', async () => {
  server.on('POST4000000', request => request.respond(413, { 'Content-Type': 'text/html' }, '<html>'));
  await create(newFile(4_000_000)).start();
  expect(server.sent('POST').map(({ body }) => body.size)).toEqual([0, 4_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000]);
});

test('request of more than 2 GiB that a proxy finds too large is split into quarters', async () => {
  const sized = (content: Blob, size: number): Blob => Object.defineProperty(content, 'size', { value: size });
  const size = 3 * 2 ** 30;
  const file = sized(newFile(10), size);
  file.slice = (start = 0, end = size) => start < 0 || end === 65536 ? new Blob(['x']) : sized(new Blob(['x']), end - start);
  server.on(`POST${size}`, request => request.respond(413));
  void create(file, { id: 'large' }).start();
  await until(() => server.sent('POST').length >= 6);
  expect(server.sent('POST').map(request => request.body.size)).toEqual([0, size, size / 4, size / 4, size / 4, size / 4]);
});

test('upload continues at the offset of the server after a lost connection', async () => {
  const upload = create(newFile(1000));
  server.on('POST', (request, { uploads }) => {
    uploads.get(upload.id!)!.offset = 600;
    request.lose();
  });
  const states: string[] = [];
  upload.addEventListener('statechange', () => states.push(upload.state));
  const result = upload.start();
  await until(() => upload.state === 'waiting');
  expect(upload.failure).toMatchObject({ reason: 'network', canRetry: true });
  expect(upload.retryAt).toBeGreaterThan(Date.now());
  await until(() => upload.state === 'completed', 100);
  expect((await result).kind).toBe('completed');
  expect(starts()).toEqual([0, 600]);
  expect(states).toEqual(['preparing', 'uploading', 'waiting', 'preparing', 'uploading', 'completed']);
});

test('lost connection without progress is followed by an empty request, which gets the hidden refusal', async () => {
  server.on('POST1000', request => request.lose());
  server.on('POST0', request => problem(request, 413, 'too-large'));
  expect(await failureOf(create(newFile(1000)))).toMatchObject({ reason: 'too-large', status: 413 });
});

test('delay grows exponentially with jitter, and progress resets it', async () => {
  const upload = create(newFile(1000));
  server.on('GET', request => request.lose(), 12);
  const delays: number[] = [];
  upload.addEventListener('statechange', () => upload.state === 'waiting' && delays.push(upload.retryAt! - Date.now()));
  void upload.start();
  await until(() => upload.state === 'completed', 500);
  // Each failed request is followed by one that detects a redirect.
  expect(delays).toHaveLength(6);
  [1, 2, 4, 8, 16, 30].forEach((seconds, i) => {
    expect(delays[i]).toBeGreaterThanOrEqual(seconds * 500);
    expect(delays[i]).toBeLessThanOrEqual(seconds * 1000);
  });
});

test('retries with progress are not limited', async () => {
  const upload = create(newFile(1000), { maxRetries: 1 });
  server.on('POST', request => {
    server.uploads.get(upload.id!)!.offset += 10;
    request.lose();
  }, 6);
  void upload.start();
  await until(() => upload.state === 'completed', 500);
  expect(starts()).toEqual([0, 10, 20, 30, 40, 50, 60]);
});

test('upload fails after maxRetries without progress, and start() continues it', async () => {
  server.on('GET', request => request.lose(), 8);
  const upload = create(newFile(10), { maxRetries: 3 });
  expect(await failureOf(upload)).toEqual({ reason: 'network', canRetry: true });
  expect(server.sent('GET')).toHaveLength(8);
  await upload.start();
  expect(upload.state).toBe('completed');
});

test('Retry-After in seconds is honored, also when the browser is online again', async () => {
  server.on('POST', request => problem(request, 503, 'busy', { 'Retry-After': '120' }));
  const upload = create(newFile(10));
  void upload.start();
  await until(() => upload.state === 'waiting');
  expect(upload.failure).toMatchObject({ reason: 'server', status: 503 });
  server.online.dispatchEvent(new Event('online'));
  await advance(119_000, 1000);
  expect(server.sent('POST')).toHaveLength(1);
  await advance(1100);
  await until(() => upload.state === 'completed');
});

test('Retry-After as a date is honored', async () => {
  server.on('GET', request => request.respond(503, { 'Retry-After': new Date(Date.now() + 90_000).toUTCString() }));
  const upload = create(newFile(10));
  void upload.start();
  await until(() => upload.state === 'waiting');
  expect(upload.retryAt! - Date.now()).toBe(90_000);
  upload.start();
  await until(() => upload.state === 'completed');
});

test('upload waits while offline, and continues when online', async () => {
  const upload = create(newFile(10), { maxRetries: 1 });
  server.isOnline = false;
  server.on('GET', request => request.lose(), 4);
  void upload.start();
  await until(() => upload.state === 'waiting');
  await advance(59_000, 1000);
  await settle(500);
  expect([upload.state, server.sent('GET').length]).toEqual(['waiting', 2]);
  server.isOnline = true;
  server.next.length = 0;
  server.online.dispatchEvent(new Event('online'));
  await until(() => upload.state === 'completed');
});

test('true offset is taken from 409', async () => {
  const upload = create(newFile(1000), { id: 'x' });
  server.on('GET', request => {
    server.uploads.set('x', { offset: 400, size: 1000, complete: false, deleted: 0 });
    request.respond(200, { 'X-Start-Byte': '0', 'X-Upload-Complete': 'false' });
  });
  await upload.start();
  expect(starts()).toEqual([0, 400]);
  expect(server.sent('GET')).toHaveLength(1);
});

test('offsets that never advance end in a retry, not in a loop', async () => {
  server.on('POST', request => problem(request, 409, 'mismatching-upload-offset', { 'X-Start-Byte': '0' }), 5);
  const upload = create(newFile(10));
  void upload.start();
  await until(() => upload.state === 'waiting');
  expect(server.sent('POST')).toHaveLength(5);
});

test('file that the server has is reported as such', async () => {
  await create(newFile(10)).start();
  const sent = server.sent('POST').length;
  expect(await create(newFile(10)).start()).toMatchObject({ kind: 'already-completed', body: 'stored' });
  expect(server.sent('POST').slice(sent).map(({ body }) => body.size)).toEqual([0]);
});

test('lost last response is requested again, and the upload is not "already completed"', async () => {
  server.on('POST10', (request, fake) => fake.handle({ ...request, progress: () => {}, respond: () => request.lose() }));
  const upload = create(newFile(10));
  const result = upload.start();
  await until(() => upload.state === 'completed', 100);
  expect(await result).toMatchObject({ kind: 'completed' });
});

test('request without progress is aborted, and the upload continues at once', async () => {
  const upload = create(newFile(1000), { stallTimeout: 5000 });
  server.on('POST', request => {
    request.progress(300);
    server.uploads.get(upload.id!)!.offset = 250;
  });
  void upload.start();
  await until(() => upload.offset === 300);
  await advance(4900);
  expect(server.sent('POST')[0]!.aborted).toBe(false);
  await advance(200);
  expect(server.sent('POST')[0]!.aborted).toBe(true);
  await until(() => upload.state === 'completed');
  expect(starts()).toEqual([0, 250]);
});

test('each progress restarts the time for a stall', async () => {
  const upload = create(newFile(1000), { stallTimeout: 5000 });
  server.on('POST', () => {});
  void upload.start();
  await until(() => upload.state === 'uploading' && server.sent('POST').length > 0);
  for (let i = 1; i < 10; i++) {
    await advance(4500);
    server.sent('POST')[0]!.progress(i * 100);
  }

  expect(server.sent('POST')[0]!.aborted).toBe(false);
  upload.pause();
});

test('response that never arrives is not waited for if the upload is complete', async () => {
  const upload = create(newFile(1000), { stallTimeout: 5000 });
  server.on('POST', (request, fake) => fake.handle({ ...request, respond: () => {} }));
  const result = upload.start();
  await until(() => upload.state === 'completed', 100);
  expect(server.sent('POST')[0]!.aborted).toBe(true);
  expect(await result).toMatchObject({ body: 'stored' });
  expect(starts()).toEqual([0, 1000]);
});

test('handler may run longer than all retries together', async () => {
  const upload = create(newFile(1000), { stallTimeout: 5000, maxRetries: 2 });
  let runs = true;
  server.on('POST', request => {
    request.progress(1000);
    Object.assign(server.uploads.get(upload.id!)!, { offset: 1000, complete: true });
  });
  server.next.push(...Array.from({ length: 20 }, (_, i) => ({
    filter: ({ method, body }: FakeRequest) => runs && method === 'POST' && body.size === 0,
    handler: (request: FakeRequest) => i % 2 && problem(request, 503, 'still-completing', { 'Retry-After': '5' }),
  })));
  const result = upload.start();
  await until(() => server.sent('POST').length > 15, 100);
  expect(server.sent('POST').map(({ body }) => body.size).filter(size => size > 0)).toEqual([1000]);
  runs = false;
  await until(() => upload.state === 'completed', 100);
  expect(await result).toMatchObject({ kind: 'completed', body: 'stored' });
});

test('delay grows while only the requests to a complete upload are lost, and the upload does not fail', async () => {
  const upload = create(newFile(1000), { maxRetries: 2 });
  server.on('POST', request => {
    Object.assign(server.uploads.get(upload.id!)!, { offset: 1000, complete: true });
    request.lose();
  });
  server.on('POST', request => request.lose(), 7);
  const delays: number[] = [];
  upload.addEventListener('statechange', () => upload.state === 'waiting' && delays.push(upload.retryAt! - Date.now()));
  void upload.start();
  await until(() => upload.state === 'completed', 500);
  expect(delays).toHaveLength(8);
  expect(delays.at(-1)).toBeGreaterThanOrEqual(15_000);
});

test('paused upload sends nothing, keeps its promise, and resumes at the offset of the server', async () => {
  const upload = create(newFile(1000));
  server.on('POST', request => {
    request.progress(500);
    server.uploads.get(upload.id!)!.offset = 400;
  });
  const result = upload.start();
  await until(() => upload.offset === 500);
  upload.pause();
  expect([upload.state, server.sent('POST')[0]!.aborted]).toEqual(['paused', true]);
  await advance(60_000, 1000);
  expect(server.requests).toHaveLength(3);
  upload.resume();
  expect(await result).toMatchObject({ kind: 'completed' });
  expect(starts()).toEqual([0, 400]);
});

test('canceled upload is deleted from the server, also after failed attempts', async () => {
  const upload = create(newFile(1000));
  server.on('POST', () => {});
  server.on('DELETE', request => request.lose(), 2);
  const result = upload.start();
  await until(() => server.sent('POST').length > 0);
  const canceled = upload.cancel();
  await expect(result).rejects.toMatchObject({ name: 'UploadError', failure: null });
  expect(upload.state).toBe('canceled');
  await until(() => server.sent('DELETE').length === 3, 100);
  await canceled;
  expect(server.uploads.get(upload.id!)!.deleted).toBe(1);
});

test('file that is added again while its deletion is retried is sent after the deletion', async () => {
  const first = create(newFile(1000));
  server.on('POST', () => {});
  void first.start().catch(() => {});
  await until(() => server.sent('POST').length > 0);
  server.on('DELETE', request => request.respond(503));
  const canceled = first.cancel();
  await until(() => server.sent('DELETE').length === 1);
  const second = create(newFile(1000));
  void second.start();
  await settle();
  expect(server.sent('POST')).toHaveLength(1);
  await until(() => second.state === 'completed', 100);
  await canceled;
  await advance(10_000, 1000);
  expect(server.uploads.get(second.id!)).toMatchObject({ complete: true, offset: 1000 });
  expect(server.requests.at(-1)!.method).toBe('POST');
});

test('iterator returns the states and ends', async () => {
  const upload = create(newFile(1000));
  const states = (async () => {
    const seen = [];
    for await (const { state, offset, size } of upload) {
      seen.push(`${state} ${offset}/${size}`);
    }

    return seen;
  })();
  await upload.start();
  const seen = await states;
  expect(seen[0]).toBe('idle 0/1000');
  expect(seen.at(-1)).toBe('completed 1000/1000');
});

test('first request of an origin is sent alone', async () => {
  server.on('GET', () => {});
  const uploads = [1, 2, 3].map(size => create(newFile(size)));
  const results = uploads.map(upload => upload.start());
  await until(() => server.sent('GET').length > 0);
  await settle(200);
  expect(server.sent('GET')).toHaveLength(1);
  server.sent('GET')[0]!.respond(200, { 'X-Start-Byte': '0', 'X-Upload-Complete': 'false' });
  await Promise.all(results);
});

test('upload that another client has completed meanwhile gets its response', async () => {
  server.on('POST10', request => {
    server.uploads.set('x', { offset: 10, size: 10, complete: true, deleted: 0 });
    problem(request, 409, 'upload-complete', { 'X-Start-Byte': '10', 'X-Upload-Complete': 'true' });
  });
  expect(await create(newFile(10), { id: 'x' }).start()).toMatchObject({ kind: 'already-completed', body: 'stored' });
  expect(starts()).toEqual([0, 10]);
});

test('file that changed while the upload was paused fails with file-changed', async () => {
  const file = newFile(1000);
  const upload = create(file);
  server.on('POST', () => {});
  void upload.start();
  await until(() => server.sent('POST').length > 0);
  upload.pause();
  const changed = newFile(1001);
  vi.spyOn(file, 'slice').mockImplementation((...range) => changed.slice(...range));
  upload.resume();
  await until(() => upload.state === 'completed' || upload.state === 'failed');
  expect(upload.failure).toEqual({ reason: 'file-changed', canRetry: false });
});
