import type { FailureReason, UploadFailure } from '../core/types.js';

/** Returns the reason why a file is not sent, or undefined. The server checks files again. */
export function check(file: File, accept: string, maxSize: number): UploadFailure | undefined {
  const reason: FailureReason | false = !isAccepted(file, accept) ? 'type-refused' : file.size > maxSize && 'too-large';
  return reason ? { reason, canRetry: false } : undefined;
}

/** Returns whether a file matches a list like that of the `accept` attribute of an input. */
export function isAccepted({ name, type }: { name: string; type: string }, accept: string): boolean {
  const patterns = accept.toLowerCase().match(/[^\s,]+/g);
  return !patterns || patterns.some(pattern => pattern.startsWith('.') ? name.toLowerCase().endsWith(pattern)
    : pattern.endsWith('/*') ? type.startsWith(pattern.slice(0, -1))
    : type === pattern);
}
