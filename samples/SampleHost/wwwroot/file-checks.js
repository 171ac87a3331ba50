import { Refusal } from './answer.js';

/**
 * Looks at a file before it is sent: one that was changed or removed would otherwise look like a broken connection.
 * @param {File} file
 * @param {number} offset
 * @throws {Refusal}
 */
export async function checkReadable(file, offset) {
  try {
    await file.slice(offset, offset + 1).arrayBuffer();
  } catch {
    throw new Refusal('The file cannot be read.', 'It was changed, moved or removed after it was chosen. Choose it again.');
  }
}

/**
 * Looks at a file after it was sent: browsers look at its date when they open it, and not while one request runs.
 * @param {File} file
 * @param {number} offset
 * @throws {Refusal}
 */
export async function checkUnchanged(file, offset) {
  try {
    await file.slice(offset, offset + 1).arrayBuffer();
  } catch (error) {
    // A file that is gone by now was sent whole.
    if (error.name === 'NotReadableError') {
      throw new Refusal('The file was changed while it was sent.', 'What arrived may be a mix of its old and new content. Choose it again.');
    }
  }
}
