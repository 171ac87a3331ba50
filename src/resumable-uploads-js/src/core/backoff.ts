const maxDelay = 30_000;

/** The longest delay while the browser reports that it is offline, which can be wrong for servers in the local network. */
const maxOfflineDelay = 60_000;

/** Returns the delay, in milliseconds, after a number of consecutive failures. Jitter spreads the clients of a server that restarts. */
export function getDelay(failures: number, minDelay: number): number {
  return minDelay < 0 ? 0 : Math.max(minDelay, Math.min(maxDelay, 1000 * 2 ** (failures - 1)) * (0.5 + Math.random() / 2));
}

export const isOffline = (): boolean => navigator.onLine === false;

/**
 * Waits until the delay is over or the signal is aborted. While the browser is offline, waits until it is online again.
 * @param endsOnline whether the wait ends as soon as the browser is online
 */
export async function wait(delay: number, signal: AbortSignal, endsOnline: boolean): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  await new Promise<unknown>(resolve => {
    timer = setTimeout(resolve, endsOnline && isOffline() ? Math.max(delay, maxOfflineDelay) : delay);
    signal.addEventListener('abort', resolve);
    if (endsOnline) {
      addEventListener('online', resolve, { signal });
    }
  });
  clearTimeout(timer!);
}
