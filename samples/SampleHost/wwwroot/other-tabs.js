/**
 * Tells the other tabs of this browser which uploads run here. Without it two tabs with the same file would take the upload from
 * each other, and a tab would ask for a file that another tab is sending.
 *
 * Fires `taken`, `held` and `finished`, each with the detail `{id}`.
 */
export class OtherTabs extends EventTarget {
  #channel = new BroadcastChannel(`resumable-uploads:${new URL('.', document.baseURI).pathname}`);

  /** @param {() => Iterable<string>} running the ids of the uploads that run in this tab */
  constructor(running) {
    super();
    this.#channel.onmessage = ({ data: { type, id } }) => {
      if (type === 'who') {
        for (const own of running()) {
          this.#channel.postMessage({ type: 'held', id: own });
        }
      } else {
        this.dispatchEvent(new CustomEvent(type, { detail: { id } }));
      }
    };
  }

  /** Asks what runs in the other tabs; `held` answers. */
  ask() {
    this.#channel.postMessage({ type: 'who' });
  }

  /** Says that an upload goes on here from now on. @param {string} id */
  take(id) {
    this.#channel.postMessage({ type: 'taken', id });
  }

  /** Says that an upload is done. @param {string} id */
  finish(id) {
    this.#channel.postMessage({ type: 'finished', id });
  }
}
