// Runs one scenario with one of the clients: node run.mjs <package>[:<protocol>] <scenario> <endpoint> <seed> <file>...
// Prints a line for each request and each answer, what the scenario has to say, and "done" in the end.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { scenarios } from './scenarios.mjs';

const [, , client, scenario, endpoint, seed, ...paths] = process.argv;
const [name, protocol] = client.split(':');
const library = await import(name);
const { Upload } = library.Upload ? library : library.default;

// The tests hold this open; without them there is nothing to do here.
process.stdin.resume().once('end', () => process.exit(2));

const describe = request => `${request.getMethod()} ${request.getHeader('Upload-Offset') ?? '-'}`;
const files = paths.map(path => ({
  stream: () => createReadStream(path),
  bytes: () => readFile(path),
  options: {
    endpoint,
    ...(protocol && { protocol }),
    metadata: { filename: basename(path), filetype: 'application/octet-stream' },
    retryDelays: null,
    onBeforeRequest: request => console.log(`request ${describe(request)}`),
    onAfterResponse: (request, response) => console.log(`answer ${describe(request)} ${response.getStatus()}`),
  },
}));

/** Sends an input to its end. */
const send = (input, options) => new Promise((resolve, reject) => {
  const upload = new Upload(input, { ...options, onSuccess: () => resolve(upload), onError: reject });
  upload.start();
});

try {
  const question = protocol ? {} : { 'Tus-Resumable': '1.0.0' };
  await scenarios[scenario]({ Upload, send, endpoint, question, files, file: files[0], random: generator(Number(seed)) });
  console.log('done');
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}

/** Numbers from 0 to 1 that depend on the seed alone. */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
