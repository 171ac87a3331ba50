// Runs one scenario with one of the clients: node run.mjs <package>[:<protocol>] <scenario> <endpoint> <seed> <file>...
// Prints a line for each request and each response, the output of the scenario, and "done" at the end.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { scenarios } from './scenarios.mjs';

const [, , client, scenario, endpoint, seed, ...paths] = process.argv;
const [name, protocol] = client.split(':');
const library = await import(name);
const { Upload } = library.Upload ? library : library.default;

// The test keeps standard input open. Exit when the test process ends.
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
    onAfterResponse: (request, response) => console.log(`response ${describe(request)} ${response.getStatus()}`),
  },
}));

/** Uploads an input completely. */
const send = (input, options) => new Promise((resolve, reject) => {
  const upload = new Upload(input, { ...options, onSuccess: () => resolve(upload), onError: reject });
  upload.start();
});

/** Sends the first file to an existing upload, whose URL is the endpoint, and prints the outcome. */
const sendExisting = async options => {
  const { retryDelays, ...rest } = files[0].options;
  const outcome = await send(files[0].stream(), { ...rest, endpoint: null, uploadUrl: endpoint, ...options })
    .then(() => 'completed', error => `failed with ${error.originalResponse?.getStatus() ?? error}`);
  console.log(`outcome ${outcome}`);
};

try {
  const statusHeaders = protocol ? {} : { 'Tus-Resumable': '1.0.0' };
  await scenarios[scenario]({ Upload, send, sendExisting, endpoint, statusHeaders, files, file: files[0], random: createRandom(Number(seed)) });
  console.log('done');
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}

/** Returns a generator of pseudorandom numbers from 0 to 1 that depend only on the seed. */
function createRandom(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
