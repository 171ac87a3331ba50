/** Delays in milliseconds after one, two, three... consecutive failures without progress. */
const delays = [1000, 2000, 4000, 8000, 15_000];

/** The retry delays of one upload. */
export class Backoff {
  #failures = 0;
  #highestOffset = -1;
  #endDelay = () => {};

  /**
   * Records the offset of the upload. If it is higher than all before, the next delay is the shortest again.
   * @param {number} offset
   * @returns {boolean} whether the offset is higher than all before
   */
  recordOffset(offset) {
    const isHigher = offset > this.#highestOffset;
    if (isHigher) {
      this.#highestOffset = offset;
      this.#failures = 0;
    }

    return isHigher;
  }

  /**
   * Returns the next delay in milliseconds. It is randomized, so that clients that lost the same server do not reconnect simultaneously.
   * @param {number} [minDelay] the delay that the server requested
   */
  nextDelay(minDelay = 0) {
    const delay = delays[Math.min(this.#failures++, delays.length - 1)];
    return Math.max(minDelay, delay * (0.8 + 0.4 * Math.random()));
  }

  /**
   * Waits until the delay is over, the signal is aborted or, if requested, the network is available again.
   * @param {number} milliseconds
   * @param {{signal: AbortSignal, orOnline: boolean}} options
   */
  async wait(milliseconds, { signal, orOnline }) {
    let timer;
    await new Promise(resolve => {
      this.#endDelay = resolve;
      timer = setTimeout(resolve, milliseconds);
      signal.addEventListener('abort', resolve, { once: true });
      if (orOnline) {
        addEventListener('online', resolve, { signal, once: true });
      }
    });
    clearTimeout(timer);
  }

  /** Ends the current delay immediately. */
  end() {
    this.#endDelay();
  }
}
