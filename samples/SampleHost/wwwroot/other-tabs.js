/**
 * Exchanges messages with the other tabs of this browser about the uploads that run in each. Without it, two tabs with the same file
 * would interrupt each other, and a tab would ask for a file that another tab is already uploading.
 *
 * Dispatches `started`, `running` and `finished`, each with the detail `{id}`.
 */
export class OtherTabs extends EventTarget {
  #channel = new BroadcastChannel(`resumable-uploads:${new URL('.', document.baseURI).pathname}`);

  /** @param {() => Iterable<string>} runningIds returns the ids of the uploads that run in this tab */
  constructor(runningIds) {
    super();
    this.#channel.onmessage = ({ data: { type, id } }) => {
      if (type === 'list') {
        for (const own of runningIds()) {
          this.#channel.postMessage({ type: 'running', id: own });
        }
      } else {
        this.dispatchEvent(new CustomEvent(type, { detail: { id } }));
      }
    };
  }

  /** Requests the running uploads of the other tabs. Each is reported by a `running` event. */
  requestRunning() {
    this.#channel.postMessage({ type: 'list' });
  }

  /** Notifies the other tabs that an upload runs in this tab now. @param {string} id */
  notifyStarted(id) {
    this.#channel.postMessage({ type: 'started', id });
  }

  /** Notifies the other tabs that an upload is done. @param {string} id */
  notifyFinished(id) {
    this.#channel.postMessage({ type: 'finished', id });
  }
}
