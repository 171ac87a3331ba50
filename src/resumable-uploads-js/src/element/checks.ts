import type { UploadFailure } from '../core/types.js';

/** Returns the reason why a file is not sent, or undefined. The server checks files again. */
export function check(file: File, accept: string, maxSize: number): UploadFailure | undefined {
  return !isAccepted(file, accept) ? { reason: 'type-refused', canRetry: false }
    : file.size > maxSize ? { reason: 'too-large', canRetry: false }
    : undefined;
}

/** Returns whether a file matches a list like that of the `accept` attribute of an input. */
export function isAccepted({ name, type }: { name: string; type: string }, accept: string): boolean {
  const patterns = accept.toLowerCase().match(/[^\s,]+/g);
  return !patterns || patterns.some(pattern => pattern.startsWith('.') ? name.toLowerCase().endsWith(pattern)
    : pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1))
    : type === pattern);
}
