import { activeStates } from './upload.js';

/** Starts waiting uploads in order, up to a limit of concurrent uploads. */
export class UploadQueue {
  #uploads = new Set();
  #limit;
  #hasOwnerCookie = false;

  /** @param {number} [limit] the maximum number of concurrent uploads */
  constructor(limit = 3) {
    this.#limit = limit;
  }

  /** @param {import('./upload.js').Upload} upload */
  add(upload) {
    this.#uploads.add(upload);
    upload.addEventListener('statechange', ({ detail }) => {
      // The first response sets the cookie that identifies the owner of the uploads. Concurrent first requests would each get
      // a different cookie.
      this.#hasOwnerCookie ||= detail.to === 'uploading';
      if (detail.to === 'cancelled') {
        this.#uploads.delete(upload);
      }

      this.#startNext();
    });
    this.#startNext();
  }

  #startNext() {
    const uploads = [...this.#uploads];
    const running = uploads.filter(upload => activeStates.has(upload.state)).length;
    if (running < (this.#hasOwnerCookie ? this.#limit : 1)) {
      // Starting an upload changes its state, which calls this method again for the next one.
      uploads.find(upload => upload.state === 'waiting')?.start();
    }
  }
}
