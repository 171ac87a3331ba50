import { PermanentError } from './response.js';

/**
 * Checks that a file can be read. During a request, a changed or deleted file would look like a connection error.
 * @param {File} file
 * @param {number} offset
 * @throws {PermanentError}
 */
export async function checkReadable(file, offset) {
  try {
    await file.slice(offset, offset + 1).arrayBuffer();
  } catch {
    throw new PermanentError('The file cannot be read.', 'It was changed, moved or deleted after you chose it. Choose it again.');
  }
}

/**
 * Checks that a file did not change while it was sent. Browsers compare its modification date only when they open the file.
 * @param {File} file
 * @param {number} offset
 * @throws {PermanentError}
 */
export async function checkUnchanged(file, offset) {
  try {
    await file.slice(offset, offset + 1).arrayBuffer();
  } catch (error) {
    // Other errors, such as a deleted file, do not affect the bytes that were already sent.
    if (error.name === 'NotReadableError') {
      throw new PermanentError('The file changed during the upload.', 'The uploaded file may contain a mix of old and new content. Choose the file again.');
    }
  }
}
