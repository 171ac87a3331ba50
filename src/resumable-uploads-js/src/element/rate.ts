const window = 6000;

/** Measures the speed of an upload over the last seconds. */
export class Rate {
  #samples: [time: number, offset: number][] = [];

  reset(): void {
    this.#samples = [];
  }

  add(offset: number): void {
    const now = performance.now();
    this.#samples.push([now, offset]);
    while (this.#samples.length > 2 && this.#samples[0]![0] < now - window) {
      this.#samples.shift();
    }
  }

  /** Gets the speed in bytes per second, or null during the first second. */
  get perSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    return !first || !last || last[0] - first[0] < 1000 ? null : (1000 * (last[1] - first[1])) / (performance.now() - first[0]);
  }
}
