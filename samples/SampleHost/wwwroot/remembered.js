/**
 * What the browser keeps about unfinished uploads, so that a page that is opened again can name them. One entry for each
 * upload, so that two tabs do not overwrite each other.
 * @module
 */

const prefix = `resumable-uploads:${new URL('.', document.baseURI).pathname}:`;
const longest = 30 * 86_400_000;

/** @param {{id: string, name: string, size: number, offset: number}} upload */
export function remember({ id, name, size, offset }) {
  attempt(() => localStorage.setItem(prefix + id, JSON.stringify({ name, size, offset, at: Date.now() })));
}

/** @param {string} id */
export function forget(id) {
  attempt(() => localStorage.removeItem(prefix + id));
}

/** @returns {{id: string, name: string, size: number, offset: number}[]} the oldest first */
export function remembered() {
  const found = [];
  attempt(() => {
    for (const key of Object.keys(localStorage).filter(key => key.startsWith(prefix))) {
      const entry = parse(localStorage.getItem(key));
      if (entry === null || Date.now() - entry.at > longest) {
        localStorage.removeItem(key);
      } else {
        found.push({ ...entry, id: key.slice(prefix.length) });
      }
    }
  });
  return found.sort((a, b) => a.at - b.at);
}

function parse(text) {
  try {
    const { name, size, offset, at } = JSON.parse(text);
    return typeof name === 'string' && [size, offset, at].every(Number.isSafeInteger) ? { name, size, offset, at } : null;
  } catch {
    return null;
  }
}

/** A browser may refuse to keep anything; uploads work all the same. */
function attempt(action) {
  try {
    action();
  } catch {
    // Nothing is remembered.
  }
}
