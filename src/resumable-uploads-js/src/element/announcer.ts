const delay = 600;
const maxMessages = 4;

/** The one live region of an element. Messages that come close together are read as one. */
export class Announcer {
  #messages = new Set<string>();
  #timer = 0;

  /**
   * @param region the live region
   * @param getSummary returns the text that is read instead of many messages
   */
  constructor(private readonly region: HTMLElement, private readonly getSummary: () => string) {}

  announce(message: string): void {
    this.#messages.add(message);
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      const text = this.#messages.size > maxMessages ? this.getSummary() : [...this.#messages].join('. ');
      this.#messages.clear();
      // A repeated message is only read if the content of the region changes.
      this.region.replaceChildren(document.createElement('span'));
      this.region.firstElementChild!.textContent = text;
    }, delay);
  }
}
