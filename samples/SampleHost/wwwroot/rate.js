const spanOfSamples = 6000;
const shortest = 500;

/** Bytes per second, smoothed over the last seconds. */
export class Rate {
  #samples = [];

  /** Forgets everything: after a break the old rate says nothing. */
  reset() {
    this.#samples = [];
  }

  /** @param {number} offset @param {number} now in milliseconds */
  add(offset, now = performance.now()) {
    // The server's truth may be less than what was shown.
    if (offset < this.#samples.at(-1)?.offset) {
      this.reset();
    }

    this.#samples.push({ offset, now });
    while (this.#samples.length > 2 && now - this.#samples[1].now >= spanOfSamples) {
      this.#samples.shift();
    }
  }

  /** @param {number} now in milliseconds @returns {number|null} null while nothing can be said */
  perSecond(now = performance.now()) {
    const first = this.#samples[0];
    const elapsed = now - (first?.now ?? now);
    return elapsed < shortest ? null : (1000 * (this.#samples.at(-1).offset - first.offset)) / elapsed;
  }
}
