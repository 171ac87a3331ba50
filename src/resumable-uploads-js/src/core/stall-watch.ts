export interface StallWatch {
  /** Records progress. @param isSent whether the whole body is sent, so that only the response is missing */
  _progress(isSent: boolean): void;
  _stop(): void;
}

/**
 * Detects a request that makes no progress and does not end. Without it, a dead connection would be reported after many minutes, or, in
 * some versions of Safari, never.
 * @param onSilence called if the body is sent and no response arrives; returns whether the request stalled, instead of being handled
 * @param onStall called when the request stalled
 */
export function watchStall(timeout: number, onSilence: () => Promise<boolean>, onStall: () => void): StallWatch {
  let timer: ReturnType<typeof setTimeout>;
  let isStopped = false;
  let wasSent = false;
  const stop = (): void => {
    isStopped = true;
    clearTimeout(timer);
  };
  const progress = (isSent: boolean): void => {
    wasSent ||= isSent;
    clearTimeout(timer);
    if (!isStopped) {
      timer = setTimeout(check, timeout);
    }
  };
  const check = async (): Promise<void> => {
    if (wasSent && !await onSilence()) {
      progress(true);
    } else if (!isStopped) {
      stop();
      onStall();
    }
  };
  return { _progress: progress, _stop: stop };
}
