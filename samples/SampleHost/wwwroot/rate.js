const sampleWindow = 6000;
const minElapsed = 500;

/** The upload rate in bytes per second, averaged over the last seconds. */
export class Rate {
  #samples = [];

  /** Discards all samples, because the rate before an interruption says nothing about the rate after it. */
  reset() {
    this.#samples = [];
  }

  /** @param {number} offset @param {number} now in milliseconds */
  add(offset, now = performance.now()) {
    // The offset from the server can be lower than the one shown before.
    if (offset < this.#samples.at(-1)?.offset) {
      this.reset();
    }

    this.#samples.push({ offset, now });
    while (this.#samples.length > 2 && now - this.#samples[1].now >= sampleWindow) {
      this.#samples.shift();
    }
  }

  /** @param {number} now in milliseconds @returns {number|null} null until there are enough samples */
  perSecond(now = performance.now()) {
    const first = this.#samples[0];
    const elapsed = now - (first?.now ?? now);
    return elapsed < minElapsed ? null : (1000 * (this.#samples.at(-1).offset - first.offset)) / elapsed;
  }
}
