/**
 * Detects a request that makes no progress and does not end. Without it, a dead connection would be reported after many minutes, or, in
 * some versions of Safari, never.
 */
export class StallWatch {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #isSent = false;

  /**
   * @param onSilence called if the body is sent and no response arrives; returns whether the request stalled, instead of being handled
   * @param onStall called when the request stalled
   */
  constructor(private readonly timeout: number, private readonly onSilence: () => Promise<boolean>, private readonly onStall: () => void) {}

  /** Records progress. @param isSent whether the whole body is sent, so that only the response is missing */
  progress(isSent: boolean): void {
    this.#isSent ||= isSent;
    clearTimeout(this.#timer);
    if (!this.#stopped) {
      this.#timer = setTimeout(() => void this.#check(), this.timeout);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #check(): Promise<void> {
    if (this.#isSent && !await this.onSilence()) {
      this.progress(true);
    } else if (!this.#stopped) {
      this.stop();
      this.onStall();
    }
  }
}
