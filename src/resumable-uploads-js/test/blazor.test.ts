import { expect, test } from 'vitest';
// @ts-expect-error The script has no types.
import { connect as connectElement } from '../../ResumableUploads.Blazor/ResumableUpload.razor.js';
import { UploadQueue } from '../src/index.js';
import { newFile } from './browser.js';
import { until } from './clock.js';
import { server, url, useFakes } from './setup.js';

useFakes();

/** Connects an element with a .NET object that returns headers, and returns the queue of the element. */
const connect = (getHeaders: () => Promise<unknown>): UploadQueue => {
  const element = Object.assign(new EventTarget(), { isConnected: true, getAttribute: () => url, queue: new UploadQueue({ url, storage: null }) });
  const receiver = { invokeMethodAsync: (method: string) => method === 'GetHeaders' ? getHeaders() : Promise.resolve(true) };
  connectElement(element, receiver, { options: { headers: { 'X-App': '1' } }, providesHeaders: true });
  return element.queue;
};

test.each([null, {}])('headers provider that returns %s sends the other headers', async headers => {
  let calls = 0;
  const queue = connect(() => calls++ < 10 ? Promise.resolve(headers) : Promise.reject(new Error('Called again and again.')));
  const [upload] = await queue.add([newFile(10)]);
  await until(() => upload!.state === 'completed' || upload!.state === 'waiting');
  expect(upload!.failure).toBeNull();
  expect(server.sent('POST')[0]!.headers).toMatchObject({ 'X-App': '1' });
});
