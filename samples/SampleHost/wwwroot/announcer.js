const delay = 700;
const maxSeparate = 3;

/** Announces changes to screen readers. Many changes in a short time become one announcement. */
export class Announcer {
  #region;
  #texts = new Map();
  #timer;

  /** @param {HTMLElement} region an element with the `aria-live` attribute */
  constructor(region) {
    this.#region = region;
  }

  /**
   * Announces a text after a short delay. Replaces a pending text with the same subject.
   * @param {string} subject for example a file name
   * @param {string} text
   */
  announce(subject, text) {
    this.#texts.set(subject, text);
    this.#timer ??= setTimeout(() => this.#flush(), delay);
  }

  #flush() {
    const entries = [...this.#texts];
    const counts = new Map();
    for (const [, text] of entries) {
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }

    this.#region.textContent = entries.length <= maxSeparate
      ? entries.map(([subject, text]) => `${subject}: ${text}`).join('. ')
      : [...counts].map(([text, count]) => `${count} ${count === 1 ? 'file' : 'files'}: ${text}`).join('. ');
    this.#texts.clear();
    this.#timer = undefined;
  }
}
