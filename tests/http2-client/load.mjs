// Many uploads and downloads at once on one connection of HTTP/2: node load.mjs <origin> <creation path> <download path> <uploads> <upload size> <downloads> <header table size>
// Prints one line of JSON: what each upload was told before its answer, and what went wrong.
import assert from 'node:assert/strict';
import { connect } from 'node:http2';

const [, , origin, creation, download, uploads, size, downloads, headerTableSize] = process.argv;
// Node counts what waits to be sent, and would end streams on its own beyond 10 MB.
const session = connect(origin, { rejectUnauthorized: false, maxSessionMemory: 1000, settings: { headerTableSize: Number(headerTableSize) } });
const failures = [];
session.on('error', error => failures.push(`connection: ${error}`));
session.on('frameError', (type, code, id) => failures.push(`frame ${type} of stream ${id}: ${code}`));
session.on('goaway', code => failures.push(`goaway ${code}`));

/** One upload of a content that is its number, over and over. */
const upload = number => new Promise((resolve, reject) => {
  const stream = session.request({
    ':method': 'POST', ':path': creation, 'upload-draft-interop-version': '10', 'upload-complete': '?1', 'content-length': size,
  });
  const told = { announced: [], offsets: [], status: 0, late: 0 };
  stream.on('headers', headers => {
    told.late += told.status !== 0 ? 1 : 0;
    if (headers[':status'] !== 104 || headers['upload-draft-interop-version'] !== '10') {
      failures.push(`upload ${number}: ${JSON.stringify(headers)}`);
    } else if (headers.location) {
      told.announced.push(headers.location);
    } else {
      told.offsets.push(Number(headers['upload-offset']));
    }
  });
  stream.on('response', headers => { told.status = headers[':status']; });
  stream.on('error', error => { failures.push(`upload ${number}: ${error}`); reject(error); });
  stream.on('close', () => resolve(told));
  stream.resume();
  stream.end(Buffer.alloc(Number(size), number));
});

const get = number => new Promise((resolve, reject) => {
  const stream = session.request({ ':path': download });
  let received = 0;
  stream.on('data', chunk => { received += chunk.length; });
  stream.on('error', error => { failures.push(`download ${number}: ${error}`); reject(error); });
  stream.on('close', () => resolve(received));
});

const numbers = count => Array.from({ length: Number(count) }, (_, i) => i + 1);
const [told, received] = await Promise.all([Promise.all(numbers(uploads).map(upload)), Promise.all(numbers(downloads).map(get))]);
session.close();
assert.equal(told.length, Number(uploads));
console.log(JSON.stringify({ told, received, failures }));
