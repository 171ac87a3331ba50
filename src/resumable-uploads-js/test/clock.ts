import { vi } from 'vitest';

/** Replaces the timers, but not the microtasks and I/O that read files. */
export const installClock = (): void => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: 1_800_000_000_000 });
};

/** Waits until a condition is true. Each step, the clock advances by a number of milliseconds. */
export async function until(condition: () => boolean, step = 0): Promise<void> {
  for (let i = 0; i < 50_000; i++) {
    if (condition()) {
      return;
    }

    await settle(1);
    vi.advanceTimersByTime(step);
  }

  throw new Error(`never true: ${condition}`);
}

/** Lets pending I/O and promises run, without advancing the clock. */
export async function settle(rounds = 50): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await new Promise(resolve => setImmediate(resolve));
  }
}

/** Advances the clock in steps, and lets pending work run after each. */
export async function advance(milliseconds: number, step = 100): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += step) {
    vi.advanceTimersByTime(Math.min(step, milliseconds - passed));
    await settle(3);
  }
}
