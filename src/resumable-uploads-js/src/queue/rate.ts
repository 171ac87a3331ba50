const sampleInterval = 1000;
const maxSamples = 10;

/** Measures the rate of the last ten seconds. */
export class Rate {
  #bytes = 0;
  #samples: [time: number, bytes: number][] = [];

  add(bytes: number): void {
    const now = performance.now();
    const last = this.#samples.at(-1)?.[0] ?? -Infinity;
    // After a pause, earlier samples would result in a rate that is too low.
    if (now - last > maxSamples * sampleInterval) {
      this.#samples = [[now, this.#bytes]];
    } else if (now - last >= sampleInterval) {
      this.#samples = [...this.#samples, [now, this.#bytes] as [number, number]].slice(-maxSamples);
    }

    this.#bytes += bytes;
  }

  get bytesPerSecond(): number {
    const first = this.#samples[0];
    const seconds = first ? (performance.now() - first[0]) / 1000 : 0;
    return seconds > 0 && seconds < 2 * maxSamples ? (this.#bytes - first![1]) / seconds : 0;
  }
}
