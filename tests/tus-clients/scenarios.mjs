import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { Line } from './line.mjs';

const MB = 1_000_000;

/** What the clients are made to do, by name. */
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

  /** In parts, stopped once. Three of the four have 30 MB, so all are under way by then. */
  async parallelStopped({ Upload, file, endpoint }) {
    const line = await Line.open(endpoint);
    const silent = line.silentAfter(35 * MB);
    let finish;
    const finished = new Promise((resolve, reject) => { finish = { onSuccess: resolve, onError: reject }; });
    const upload = new Upload(file.stream(), { ...file.options, ...finish, endpoint: line.endpoint, parallelUploads: 4 });
    upload.start();
    const { gone } = await Promise.race([silent, finished.then(() => assert.fail('Finished too early.'))]);
    await upload.abort();
    await gone;
    upload.start();
    await finished;
    line.close();
  },

  /** A stream of unknown length. */
  async deferred({ send, file }) {
    // Behind a pipe it is no file any more.
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

  /** Stopped ten times; of every second stop the server learns nothing. */
  async stopped({ Upload, file, endpoint, random }) {
    const line = await Line.open(endpoint);
    let finish;
    const finished = new Promise((resolve, reject) => { finish = { onSuccess: resolve, onError: reject }; });
    // What was sent before a stop may be read by the server after the question that follows it: then the answer was too little, and is corrected by a 409.
    const upload = new Upload(file.stream(), { ...file.options, ...finish, endpoint: line.endpoint, retryDelays: Array(20).fill(50) });
    for (let stop = 0; stop < 10; stop++) {
      line.tellsServer = stop % 2 === 0;
      const silent = line.silentAfter(Math.ceil(random() * 3.5 * MB));
      upload.start();
      const { gone } = await Promise.race([silent, finished.then(() => assert.fail('Finished too early.'))]);
      await upload.abort();
      await gone;
      console.log('stopped');
    }

    upload.start();
    await finished;
    line.close();
  },

  /** Given up in the middle. */
  async terminated({ Upload, file, endpoint, question }) {
    const line = await Line.open(endpoint);
    const silent = line.silentAfter(5 * MB);
    let fail;
    const failed = new Promise((_, reject) => { fail = reject; });
    const upload = new Upload(file.stream(), { ...file.options, endpoint: line.endpoint, onError: fail });
    upload.start();
    await Promise.race([silent, failed]);
    await upload.abort(true);
    const head = await fetch(upload.url, { method: 'HEAD', headers: question });
    assert.equal(head.status, 404);
    line.close();
  },

  /** The server goes away after 10 MB, and comes back. */
  async serverKilled({ send, file, endpoint }) {
    const line = await Line.open(endpoint);
    line.silentAfter(10 * MB).then(() => console.log('silent'));
    await send(file.stream(), { ...file.options, endpoint: line.endpoint, retryDelays: Array(200).fill(200) });
    line.close();
  },
};
