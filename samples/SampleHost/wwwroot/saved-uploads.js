/**
 * Saves unfinished uploads in the browser, so that the page can list them when it is opened again. Each upload has an entry of its
 * own, so that two tabs do not overwrite each other.
 * @module
 */

const prefix = `resumable-uploads:${new URL('.', document.baseURI).pathname}:`;
const maxAge = 30 * 86_400_000;

/** @param {{id: string, name: string, size: number, offset: number}} upload */
export function saveUpload({ id, name, size, offset }) {
  ignoreErrors(() => localStorage.setItem(prefix + id, JSON.stringify({ name, size, offset, at: Date.now() })));
}

/** @param {string} id */
export function deleteSavedUpload(id) {
  ignoreErrors(() => localStorage.removeItem(prefix + id));
}

/** @returns {{id: string, name: string, size: number, offset: number}[]} the saved uploads, oldest first */
export function loadSavedUploads() {
  const uploads = [];
  ignoreErrors(() => {
    for (const key of Object.keys(localStorage).filter(key => key.startsWith(prefix))) {
      const entry = parse(localStorage.getItem(key));
      if (entry === null || Date.now() - entry.at > maxAge) {
        localStorage.removeItem(key);
      } else {
        uploads.push({ ...entry, id: key.slice(prefix.length) });
      }
    }
  });
  return uploads.sort((a, b) => a.at - b.at);
}

function parse(text) {
  try {
    const { name, size, offset, at } = JSON.parse(text);
    return typeof name === 'string' && [size, offset, at].every(Number.isSafeInteger) ? { name, size, offset, at } : null;
  } catch {
    return null;
  }
}

/** Local storage can be disabled or full. Uploads work without it. */
function ignoreErrors(action) {
  try {
    action();
  } catch {
    // The upload is not saved.
  }
}
