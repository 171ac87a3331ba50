const sampleInterval = 1000;
const maxAge = 10_000;

/** Measures the rate of the last seconds as a moving average. */
export function createRate(): { _add(bytes: number): void; _bytesPerSecond(): number } {
  let rate = 0;
  let bytes = 0;
  let start = -Infinity;
  const elapsed = (): number => performance.now() - start;
  return {
    _add(count) {
      const time = elapsed();
      if (time > sampleInterval) {
        const current = bytes / time * 1000;
        rate = time > maxAge ? 0 : rate ? 0.7 * rate + 0.3 * current : current;
        start = performance.now();
        bytes = 0;
      }

      bytes += count;
    },
    _bytesPerSecond: () => elapsed() < maxAge ? rate : 0,
  };
}
