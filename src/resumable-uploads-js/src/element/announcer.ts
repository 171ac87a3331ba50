import { h } from './dom.js';

const delay = 600;
const maxMessages = 4;

/**
 * Creates a function that announces messages in the one live region of an element. Messages that come close together are read as one.
 * @param region the live region
 * @param getSummary returns the text that is read instead of many messages
 */
export function createAnnouncer(region: HTMLElement, getSummary: () => string): (message: string) => void {
  const messages = new Set<string>();
  return message => {
    if (message && messages.add(message).size === 1) {
      setTimeout(() => {
        // A repeated message is read only if the region gets another child.
        region.replaceChildren(h('p', '', messages.size > maxMessages ? getSummary() : [...messages].join('. ')));
        messages.clear();
      }, delay);
    }
  };
}
