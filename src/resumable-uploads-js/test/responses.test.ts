import { expect, test, vi } from 'vitest';
import { newFile, problem } from './browser.js';
import { advance, until } from './clock.js';
import { create, failReads, failureOf, server, starts, useFakes } from './setup.js';

useFakes();

test('upload that was taken over stops, and continues only by start()', async () => {
  server.on('POST', request => problem(request, 409, 'taken-over'));
  const upload = create(newFile(10));
  expect(await failureOf(upload)).toMatchObject({ reason: 'taken-over', canRetry: true });
  await advance(100_000, 1000);
  expect(server.sent('POST')).toHaveLength(1);
  await upload.start();
});

test.each([
  [400, 'bad-file-name', 'rejected', false],
  [401, 'sign-in', 'signed-out', true],
  [403, 'refused', 'rejected', false],
  [403, '', 'forbidden', true],
  [404, '', 'gone', true],
  [405, 'method-not-allowed', 'unsupported', true],
  [409, 'different-content', 'rejected', false],
  [400, 'digest-mismatch', 'digest-mismatch', true],
  [413, 'too-large', 'too-large', false],
  [413, 'owner-quota', 'quota', true],
  [415, 'refused', 'type-refused', false],
  [422, 'refused', 'rejected', false],
  [500, 'parked', 'handler-failed', false],
])('response %i %s fails with %s', async (status, type, reason, canRetry) => {
  const headers: Record<string, string> = type === 'different-content' ? { 'X-Upload-Complete': 'true' } : {};
  server.on('POST', request => problem(request, status, type, headers));
  expect(await failureOf(create(newFile(10)))).toMatchObject({ reason, canRetry, status });
  expect(server.sent('POST')).toHaveLength(1);
});

test.each([
  [400, 'interrupted', 'server', 0],
  [408, 'idle', 'server', 0],
  [429, 'too-many-uploads', 'quota', 0],
  [502, '', 'server', 0],
  [503, 'handler-failed', 'handler-failed', 0],
  [507, 'storage-full', 'server-full', 30_000],
])('response %i %s is retried with reason %s', async (status, type, reason, minDelay) => {
  server.on('POST', request => problem(request, status, type));
  const upload = create(newFile(10));
  void upload.start();
  await until(() => upload.state === 'waiting');
  expect(upload.failure).toMatchObject({ reason, status, canRetry: true });
  expect(upload.retryAt! - Date.now()).toBeGreaterThanOrEqual(minDelay);
  await until(() => upload.state === 'completed', 1000);
});

test('final response of the handler with an error fails, and success of any status completes', async () => {
  server.on('POST', request => request.respond(422, { 'X-Upload-Complete': 'true' }, '{"title":"Not a video"}'));
  expect(await failureOf(create(newFile(10)))).toMatchObject({ reason: 'handler-failed', status: 422, title: 'Not a video', canRetry: false });
  server.on('POST', request => request.respond(201, { 'X-Upload-Complete': 'true', Location: '/videos/1' }));
  const result = await create(newFile(11)).start();
  expect([result.status, result.headers.get('Location')]).toEqual([201, '/videos/1']);
});

test('login page after a redirect is not success', async () => {
  const login = { 'Content-Type': 'text/html', redirected: 'true' };
  server.on('GET', request => request.respond(200, login, '<form>'));
  expect(await failureOf(create(newFile(10)))).toMatchObject({ reason: 'signed-out', canRetry: true });
  expect(server.sent('POST')).toHaveLength(0);
});

test('session that expires during the upload is signed-out', async () => {
  server.on('POST', request => {
    server.on('GET', status => status.respond(200, { 'Content-Type': 'text/html' }, '<form>'));
    request.respond(200, { 'Content-Type': 'text/html' }, '<form>');
  });
  const upload = create(newFile(10));
  expect(await failureOf(upload)).toMatchObject({ reason: 'signed-out' });
  await upload.start();
});

test('redirect to a login page of another origin is signed-out, not a network error', async () => {
  server.on('GET', request => request.lose());
  server.on('GET', request => request.respond(200, { opaque: 'true' }));
  expect(await failureOf(create(newFile(10)))).toMatchObject({ reason: 'signed-out' });
  expect(server.sent('GET').map(({ headers }) => headers.redirect)).toEqual(['follow', 'manual']);
});

test('page without the headers of the protocol is unsupported', async () => {
  server.on('GET', request => request.respond(200, { 'Content-Type': 'text/html' }, '<html>'));
  expect(await failureOf(create(newFile(10)))).toMatchObject({ reason: 'unsupported' });
});

test('handler that redirects completes the upload', async () => {
  const page = { 'Content-Type': 'text/html' };
  server.on('POST', (request, fake) => fake.handle({ ...request, respond: () => request.respond(200, page, '<html>') }));
  server.on('POST0', request => request.respond(200, page, 'result page'));
  const upload = create(newFile(10));
  const result = upload.start();
  await until(() => upload.state === 'completed', 100);
  expect((await result).body).toBe('result page');
});

test('login page in response to the last request of a complete upload is signed-out', async () => {
  const page = { 'Content-Type': 'text/html' };
  server.on('POST', (request, fake) => fake.handle({ ...request, respond: () => request.lose() }));
  server.on('POST0', request => {
    server.on('GET', status => status.respond(200, page, '<form>'));
    request.respond(200, page, '<form>');
  });
  const upload = create(newFile(10));
  expect(await failureOf(upload)).toMatchObject({ reason: 'signed-out', canRetry: true });
  expect(await upload.start()).toMatchObject({ kind: 'completed', body: 'stored' });
});

test('headers are called before each request, and again after 401', async () => {
  const refreshes: boolean[] = [];
  const upload = create(newFile(3000), {
    chunkSize: 1000,
    headers: refresh => {
      refreshes.push(refresh);
      return Promise.resolve({ Authorization: `Bearer ${refreshes.length}` });
    },
  });
  server.on('POST', (request, fake) => {
    server.on('POST', second => second.respond(401));
    fake.handle(request);
  });
  void upload.start();
  await until(() => upload.state === 'completed', 1);
  expect(server.requests.map(({ headers }) => headers.Authorization)).toEqual(refreshes.map((_, i) => `Bearer ${i + 1}`));
  // OPTIONS, GET, POST, POST (401), GET with refreshed headers, POST, POST.
  expect(refreshes).toEqual([false, false, false, false, true, false, false]);
  expect(starts()).toEqual([0, 1000, 1000, 2000]);
});

test('second 401 in a row is signed-out', async () => {
  server.on('GET', request => request.respond(401), 2);
  expect(await failureOf(create(newFile(10), { headers: () => ({}) }))).toMatchObject({ reason: 'signed-out', status: 401 });
  expect(server.sent('GET')).toHaveLength(2);
});

test('credentials are included on request', async () => {
  await create(newFile(10), { credentials: 'include', headers: { 'X-Tenant': 'a' } }).start();
  expect(server.sent('POST')[0]!.headers).toMatchObject({ credentials: 'true', 'X-Tenant': 'a' });
});

test('handler that fails again and again ends the upload', async () => {
  server.on('POST', request => {
    Object.assign(server.uploads.get('x')!, { offset: 10, complete: true });
    problem(request, 503, 'handler-failed');
  });
  server.on('POST', request => problem(request, 503, 'handler-failed'), 3);
  expect(await failureOf(create(newFile(10), { id: 'x', maxRetries: 2 }))).toMatchObject({ reason: 'handler-failed', status: 503 });
  expect(server.sent('POST').length).toBeLessThan(5);
});

test('file that changed before or during the upload fails with file-changed', async () => {
  const file = newFile(1000);
  server.on('POST', (request, fake) => {
    failReads('NotReadableError');
    fake.handle(request);
  });
  expect(await failureOf(create(file))).toMatchObject({ reason: 'file-changed', canRetry: false });
  expect(await failureOf(create(file))).toMatchObject({ reason: 'file-changed' });
  expect(server.sent('POST')).toHaveLength(1);
});

test('file that the browser reads with other content fails with file-changed', async () => {
  const file = newFile(1000);
  server.on('POST', (request, fake) => {
    vi.spyOn(file, 'slice').mockImplementation((...range) => new Blob([new Uint8Array(1000)]).slice(...range));
    fake.handle(request);
  });
  expect(await failureOf(create(file, { id: 'id of the app' }))).toMatchObject({ reason: 'file-changed', canRetry: false });
});

test('deleted file is unreadable', async () => {
  failReads('NotFoundError');
  expect(await failureOf(create(newFile(1000)))).toMatchObject({ reason: 'file-unreadable', canRetry: true });
});

test('file with another id than the expected one fails with file-changed', async () => {
  expect(await failureOf(create(newFile(10), { expectedId: 'film.mp4-11-0' }))).toMatchObject({ reason: 'file-changed' });
  expect(server.requests).toHaveLength(0);
});

test('server that has more bytes than the file fails with file-changed', async () => {
  server.uploads.set('x', { offset: 11, size: 11, complete: false, deleted: 0 });
  expect(await failureOf(create(newFile(10), { id: 'x' }))).toMatchObject({ reason: 'file-changed' });
});

test('digest of the whole file is sent in an empty request, so that an interrupted request keeps its bytes', async () => {
  await create(new File(['abc'], 'a'), { digest: true }).start();
  expect(server.sent('POST').map(({ headers, body }) => [body.size, headers['Repr-Digest']])).toEqual([
    [0, 'sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:'],
    [3, undefined],
  ]);
});

test('upload with a wrong digest is deleted and sent again by start()', async () => {
  server.on('POST10', request => problem(request, 400, 'digest-mismatch'));
  const upload = create(newFile(10), { digest: true });
  expect(await failureOf(upload)).toMatchObject({ reason: 'digest-mismatch', canRetry: true });
  await upload.start();
  expect(server.sent('DELETE')).toHaveLength(1);
});
