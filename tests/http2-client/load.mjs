// Runs concurrent uploads and downloads on one HTTP/2 connection:
// node load.mjs <origin> <creation path> <download path> <upload count> <upload size> <download count> <header table size>
// Prints one line of JSON: the interim responses and status code of each upload, the received bytes of each download, and the failures.
import assert from 'node:assert/strict';
import { connect } from 'node:http2';

const [, , origin, creationPath, downloadPath, uploadCount, size, downloadCount, headerTableSize] = process.argv;
// Node closes streams when a session buffers more than maxSessionMemory (10 MB by default).
const session = connect(origin, { rejectUnauthorized: false, maxSessionMemory: 1000, settings: { headerTableSize: Number(headerTableSize) } });
const failures = [];
session.on('error', error => failures.push(`connection: ${error}`));
session.on('frameError', (type, code, id) => failures.push(`frame ${type} of stream ${id}: ${code}`));
session.on('goaway', code => failures.push(`goaway ${code}`));

/** Uploads content in which every byte is the number of the upload. */
const upload = number => new Promise((resolve, reject) => {
  const stream = session.request({
    ':method': 'POST', ':path': creationPath, 'upload-draft-interop-version': '10', 'upload-complete': '?1', 'content-length': size,
  });
  const result = { announced: [], offsets: [], status: 0, late: 0 };
  stream.on('headers', headers => {
    result.late += result.status !== 0 ? 1 : 0;
    if (headers[':status'] !== 104 || headers['upload-draft-interop-version'] !== '10') {
      failures.push(`upload ${number}: ${JSON.stringify(headers)}`);
    } else if (headers.location) {
      result.announced.push(headers.location);
    } else {
      result.offsets.push(Number(headers['upload-offset']));
    }
  });
  stream.on('response', headers => { result.status = headers[':status']; });
  stream.on('error', error => { failures.push(`upload ${number}: ${error}`); reject(error); });
  stream.on('close', () => resolve(result));
  stream.resume();
  stream.end(Buffer.alloc(Number(size), number));
});

const downloadFile = number => new Promise((resolve, reject) => {
  const stream = session.request({ ':path': downloadPath });
  let received = 0;
  stream.on('data', chunk => { received += chunk.length; });
  stream.on('error', error => { failures.push(`download ${number}: ${error}`); reject(error); });
  stream.on('close', () => resolve(received));
});

const numbers = count => Array.from({ length: Number(count) }, (_, i) => i + 1);
const [uploads, received] = await Promise.all([
  Promise.all(numbers(uploadCount).map(upload)),
  Promise.all(numbers(downloadCount).map(downloadFile)),
]);
session.close();
assert.equal(uploads.length, Number(uploadCount));
console.log(JSON.stringify({ uploads, received, failures }));
