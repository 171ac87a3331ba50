const isPrime = (value: number): boolean => {
  for (let factor = 2; factor * factor <= value; factor++) {
    if (value % factor === 0) {
      return false;
    }
  }

  return true;
};

/** The first 64 primes. The constants are the first 32 bits of the fractional parts of their roots (FIPS 180-4, sections 4.2.2 and 5.3.3). */
const primes: number[] = [];
for (let value = 2; primes.length < 64; value++) {
  if (isPrime(value)) {
    primes.push(value);
  }
}

const fraction = (value: number): number => (value - Math.floor(value)) * 2 ** 32 | 0;
const constants = Int32Array.from(primes, prime => fraction(Math.cbrt(prime)));
const initial = Int32Array.from(primes.slice(0, 8), prime => fraction(Math.sqrt(prime)));

/** Computes SHA-256 incrementally. */
export class Sha256 {
  readonly #state = initial.slice();
  readonly #words = new Int32Array(64);
  readonly #block = new Uint8Array(64);
  #length = 0;

  update(bytes: Uint8Array): void {
    let position = 0;
    let used = this.#length % 64;
    this.#length += bytes.length;
    if (used) {
      position = Math.min(64 - used, bytes.length);
      this.#block.set(bytes.subarray(0, position), used);
      used += position;
      if (used < 64) {
        return;
      }

      this.#compress(this.#block, 0);
    }

    for (; position + 64 <= bytes.length; position += 64) {
      this.#compress(bytes, position);
    }

    this.#block.set(bytes.subarray(position));
  }

  digest(): Uint8Array {
    const bits = this.#length * 8;
    const padding = new Uint8Array((this.#length % 64 < 56 ? 64 : 128) - this.#length % 64);
    padding[0] = 0x80;
    const end = new DataView(padding.buffer, padding.length - 8);
    end.setUint32(0, Math.floor(bits / 2 ** 32));
    end.setUint32(4, bits >>> 0);
    this.update(padding);
    const result = new DataView(new ArrayBuffer(32));
    this.#state.forEach((word, i) => result.setInt32(i * 4, word));
    return new Uint8Array(result.buffer);
  }

  #compress(bytes: Uint8Array, position: number): void {
    const w = this.#words;
    for (let i = 0; i < 16; i++, position += 4) {
      w[i] = bytes[position]! << 24 | bytes[position + 1]! << 16 | bytes[position + 2]! << 8 | bytes[position + 3]!;
    }

    for (let i = 16; i < 64; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      w[i] = w[i - 16]! + w[i - 7]!
        + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
        + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
    }

    const state = this.#state;
    let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!, e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
    for (let i = 0; i < 64; i++) {
      const t1 = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + constants[i]! + w[i]! | 0;
      const t2 = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
      h = g; g = f; f = e; e = d + t1 | 0;
      d = c; c = b; b = a; a = t1 + t2 | 0;
    }

    state[0]! += a; state[1]! += b; state[2]! += c; state[3]! += d;
    state[4]! += e; state[5]! += f; state[6]! += g; state[7]! += h;
  }
}
