import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { HeadToGetProxy } from './head-to-get-proxy.mjs';
import { SilencingProxy } from './silencing-proxy.mjs';

const MB = 1_000_000;

/** The scenarios by name. */
export const scenarios = {
  async bytes({ send, file }) {
    await send(await file.bytes(), file.options);
  },

  async file({ send, file }) {
    await send(file.stream(), file.options);
  },

  async chunks({ send, file }) {
    await send(file.stream(), { ...file.options, chunkSize: 3 * MB });
  },

  async parallel({ send, file }) {
    await send(file.stream(), { ...file.options, parallelUploads: 4 });
  },

  /** Parallel uploads, stopped once. Three of the four parts together have 30 MB, so all four have started by then. */
  async parallelStopped({ Upload, file, endpoint }) {
    const proxy = await SilencingProxy.open(endpoint);
    const silent = proxy.silentAfter(35 * MB);
    let finish;
    const finished = new Promise((resolve, reject) => { finish = { onSuccess: resolve, onError: reject }; });
    const upload = new Upload(file.stream(), { ...file.options, ...finish, endpoint: proxy.endpoint, parallelUploads: 4 });
    upload.start();
    const { disconnected } = await Promise.race([silent, finished.then(() => assert.fail('Finished too early.'))]);
    await upload.abort();
    await disconnected;
    upload.start();
    await finished;
    proxy.close();
  },

  /** A stream of unknown length. */
  async deferred({ send, file }) {
    // A piped stream hides the file and its length from the client.
    await send(file.stream().pipe(new PassThrough()), { ...file.options, chunkSize: MB, uploadLengthDeferred: true });
  },

  async duringCreation({ send, file }) {
    await send(await file.bytes(), { ...file.options, uploadDataDuringCreation: true });
  },

  async duringCreationInChunks({ send, file }) {
    await send(file.stream(), { ...file.options, uploadDataDuringCreation: true, chunkSize: 3 * MB });
  },

  async methodOverride({ send, file }) {
    await send(file.stream(), { ...file.options, chunkSize: 3 * MB, overridePatchMethod: true });
  },

  async manyAtOnce({ send, files }) {
    await Promise.all(files.map(file => send(file.stream(), file.options)));
  },

  /** Stopped ten times. After every second stop, the connection to the server stays open. */
  async stopped({ Upload, file, endpoint, random }) {
    const proxy = await SilencingProxy.open(endpoint);
    let finish;
    const finished = new Promise((resolve, reject) => { finish = { onSuccess: resolve, onError: reject }; });
    // The server may read bytes from before a stop after it answered the next HEAD request. The offset is then too low, and a 409 corrects it.
    const upload = new Upload(file.stream(), { ...file.options, ...finish, endpoint: proxy.endpoint, retryDelays: Array(200).fill(50) });
    for (let stop = 0; stop < 10; stop++) {
      proxy.closesServerConnection = stop % 2 === 0;
      // A stop never cuts the head of a request, so the upload is created once and each HEAD request gets a response.
      const silent = proxy.silentAfter(64_000 + Math.ceil(random() * 3.4 * MB));
      upload.start();
      const { disconnected } = await Promise.race([silent, finished.then(() => assert.fail('Finished too early.'))]);
      await upload.abort();
      await disconnected;
      console.log('stopped');
    }

    upload.start();
    await finished;
    proxy.close();
  },

  /** An existing upload, with the default delays. */
  async continued({ sendExisting }) {
    await sendExisting({});
  },

  async continuedInChunks({ sendExisting }) {
    await sendExisting({ chunkSize: 4 * MB });
  },

  /** Stopped once, between two chunks. */
  async resumed({ Upload, file }) {
    let stopped;
    const stop = new Promise(resolve => { stopped = resolve; });
    let finish;
    const finished = new Promise((resolve, reject) => { finish = { onSuccess: resolve, onError: reject }; });
    const upload = new Upload(await file.bytes(), {
      ...file.options, ...finish, chunkSize: 3 * MB, retryDelays: [50, 50],
      onChunkComplete: (_, accepted) => { if (accepted === 3 * MB) upload.abort().then(stopped); },
    });
    upload.start();
    await Promise.race([stop, finished]);
    upload.start();
    await finished;
  },

  /** Stopped once, behind a cache that converts HEAD to GET. */
  async resumedBehindCache({ file, ...context }) {
    const cache = await HeadToGetProxy.open(context.endpoint);
    await scenarios.resumed({ ...context, file: { ...file, options: { ...file.options, endpoint: cache.endpoint } } });
    cache.close();
  },

  /** Terminated before it is complete. */
  async terminated({ Upload, file, endpoint, statusHeaders }) {
    const proxy = await SilencingProxy.open(endpoint);
    const silent = proxy.silentAfter(5 * MB);
    let fail;
    const failed = new Promise((_, reject) => { fail = reject; });
    const upload = new Upload(file.stream(), { ...file.options, endpoint: proxy.endpoint, onError: fail });
    upload.start();
    await Promise.race([silent, failed]);
    await upload.abort(true);
    const head = await fetch(upload.url, { method: 'HEAD', headers: statusHeaders });
    assert.equal(head.status, 404);
    proxy.close();
  },

  /** The server is killed after 10 MB and started again. */
  async serverKilled({ send, file, endpoint }) {
    const proxy = await SilencingProxy.open(endpoint);
    proxy.silentAfter(10 * MB).then(() => console.log('silent'));
    await send(file.stream(), { ...file.options, endpoint: proxy.endpoint, retryDelays: Array(1000).fill(200) });
    proxy.close();
  },
};
