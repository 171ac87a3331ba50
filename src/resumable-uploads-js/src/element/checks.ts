import type { UploadFailure } from '../core/types.js';

/** The limits that are checked before a file is sent. The server checks them again. */
export interface Limits { accept: string; maxSize: number; }

/** Returns the reason why a file is not sent, or null. */
export function check(file: File, { accept, maxSize }: Limits): UploadFailure | null {
  return !isAccepted(file, accept) ? { reason: 'type-refused', canRetry: false }
    : file.size > maxSize ? { reason: 'too-large', canRetry: false }
    : null;
}

/** Returns whether a file matches a list like that of the `accept` attribute of an input. */
export function isAccepted({ name, type }: File, accept: string): boolean {
  const patterns = accept.toLowerCase().split(',').map(pattern => pattern.trim()).filter(Boolean);
  return patterns.length === 0 || patterns.some(pattern => pattern.startsWith('.') ? name.toLowerCase().endsWith(pattern)
    : pattern.endsWith('/*') ? type.toLowerCase().startsWith(pattern.slice(0, -1))
    : type.toLowerCase() === pattern);
}

/** Reads a size such as `5 GB`, `500MiB` or a number of bytes. Returns infinity for any other text. */
export function parseSize(text: string | null): number {
  const match = /^\s*([\d.]+)\s*(?:([kmgt])(i?))?b?\s*$/i.exec(text ?? '');
  return match ? Number(match[1]) * (match[3] ? 1024 : 1000) ** (' kmgt'.indexOf((match[2] ?? ' ').toLowerCase())) : Infinity;
}
