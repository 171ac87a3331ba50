const pauseBetween = 700;
const mostAtOnce = 3;

/** Tells a screen reader what happened, in one voice: many changes at once become one sentence. */
export class Announcer {
  #region;
  #texts = new Map();
  #timer;

  /** @param {HTMLElement} region an element with `aria-live` */
  constructor(region) {
    this.#region = region;
  }

  /**
   * Says something soon. A later text about the same thing takes the place of an earlier one.
   * @param {string} about such as a file's name
   * @param {string} text
   */
  say(about, text) {
    this.#texts.set(about, text);
    this.#timer ??= setTimeout(() => this.#speak(), pauseBetween);
  }

  #speak() {
    const entries = [...this.#texts];
    const counts = new Map();
    for (const [, text] of entries) {
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }

    this.#region.textContent = entries.length <= mostAtOnce
      ? entries.map(([about, text]) => `${about}: ${text}`).join('. ')
      : [...counts].map(([text, count]) => `${count} ${count === 1 ? 'file' : 'files'}: ${text}`).join('. ');
    this.#texts.clear();
    this.#timer = undefined;
  }
}
