import { fail } from './errors.js';

/** The number of bytes at each end of a file whose digest is part of its id. */
const digestedBytes = 65536;

/** Percent-encodes a text. Some file systems allow unpaired surrogates in names, and encodeURIComponent throws for them. */
export const encode = (text: string): string => encodeURIComponent(text.toWellFormed());

/**
 * Returns the id of a file. Choosing the same file again results in the same id. Files of the same name, size and date differ in the
 * relative path or in the digest of their ends.
 */
export async function getFileId(file: Blob, path: string): Promise<string> {
  const bytes = await read(new Blob([file.slice(0, digestedBytes), file.slice(-digestedBytes)]));
  const encoded = encode(path);
  const name = encoded.length > 500 ? await hexDigest(new TextEncoder().encode(encoded)) : encoded;
  return `${name}-${file.size}-${(file as File).lastModified ?? 0}-${await hexDigest(bytes)}`;
}

/** Reads a part of a file. Browsers throw NotReadableError if the file changed after it was chosen. */
async function read(part: Blob): Promise<ArrayBuffer> {
  try {
    const bytes = await part.arrayBuffer();
    if (bytes.byteLength === part.size) {
      return bytes;
    }
  } catch (error) {
    if ((error as Error).name !== 'NotReadableError') {
      throw fail('file-unreadable');
    }
  }

  throw fail('file-changed');
}

async function hexDigest(bytes: BufferSource): Promise<string> {
  return Array.from(await sha256(bytes), byte => byte.toString(16).padStart(2, '0')).join('');
}

/** Browsers define `crypto.subtle` only on HTTPS and localhost. */
async function sha256(bytes: BufferSource): Promise<Uint8Array> {
  return crypto.subtle ? new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)) : (await import('../sha256/index.js')).digestBlob(new Blob([bytes]));
}
