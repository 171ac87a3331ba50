import { activeStates } from './upload.js';

/** Starts uploads that wait, in their order, and only so many at a time. */
export class UploadQueue {
  #uploads = new Set();
  #limit;
  #met = false;

  /** @param {number} [limit] how many run at a time */
  constructor(limit = 3) {
    this.#limit = limit;
  }

  /** @param {import('./upload.js').Upload} upload */
  add(upload) {
    this.#uploads.add(upload);
    upload.addEventListener('statechange', ({ detail }) => {
      // The server's first answer brings the cookie that says whose uploads these are. Requests that ran beside the first one
      // would each get a cookie of their own.
      this.#met ||= detail.to === 'uploading';
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
    if (running < (this.#met ? this.#limit : 1)) {
      // A start is a change of state, which leads here again.
      uploads.find(upload => upload.state === 'waiting')?.start();
    }
  }
}
