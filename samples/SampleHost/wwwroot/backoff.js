/** Waits in milliseconds after one, two, three... failures without any progress between them. */
const waits = [1000, 2000, 4000, 8000, 15_000];

/** The waits between the tries of one upload. */
export class Backoff {
  #failures = 0;
  #highest = -1;
  #end = () => {};

  /**
   * Tells how far the upload is. Where that is farther than ever, the next wait is a short one again.
   * @param {number} offset
   * @returns {boolean} whether it is farther than ever
   */
  reached(offset) {
    const farther = offset > this.#highest;
    if (farther) {
      this.#highest = offset;
      this.#failures = 0;
    }

    return farther;
  }

  /**
   * The next wait in milliseconds. Clients that lost the same server do not come back all at once.
   * @param {number} [least] what the server asked for
   */
  next(least = 0) {
    const wait = waits[Math.min(this.#failures++, waits.length - 1)];
    return Math.max(least, wait * (0.8 + 0.4 * Math.random()));
  }

  /**
   * Waits.
   * @param {number} milliseconds
   * @param {{signal: AbortSignal, orOnline: boolean}} options what ends the wait early: the signal, and the network's return
   */
  async wait(milliseconds, { signal, orOnline }) {
    let timer;
    await new Promise(resolve => {
      this.#end = resolve;
      timer = setTimeout(resolve, milliseconds);
      signal.addEventListener('abort', resolve, { once: true });
      if (orOnline) {
        addEventListener('online', resolve, { signal, once: true });
      }
    });
    clearTimeout(timer);
  }

  /** Ends a wait now. */
  end() {
    this.#end();
  }
}
