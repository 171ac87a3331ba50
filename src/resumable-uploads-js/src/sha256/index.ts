/** SHA-256 of files of any size. Web Crypto computes digests only of content in memory. */
import { Sha256 } from './sha256.js';

const workerName = 'resumable-uploads-sha256';
const sliceSize = 1 << 20;

/** Returns the SHA-256 of a file, computed in a worker. If a content security policy forbids the worker, computes it in slices. */
export async function digestBlob(blob: Blob, signal?: AbortSignal): Promise<Uint8Array> {
  if (blob.size > sliceSize) {
    const result = await digestInWorker(blob, signal);
    signal?.throwIfAborted();
    if (result) {
      return result;
    }
  }

  return digestSlices(blob, signal);
}

async function digestSlices(blob: Blob, signal?: AbortSignal): Promise<Uint8Array> {
  const hash = new Sha256();
  for (let offset = 0; offset < blob.size; offset += sliceSize) {
    const bytes = await blob.slice(offset, offset + sliceSize).arrayBuffer();
    signal?.throwIfAborted();
    hash.update(new Uint8Array(bytes));
  }

  return hash.digest();
}

/** Starts this file as a worker. Returns null if that is not possible. */
async function digestInWorker(blob: Blob, signal?: AbortSignal): Promise<Uint8Array | null> {
  let worker: Worker | undefined;
  try {
    return await new Promise<Uint8Array | null>((resolve, reject) => {
      worker = new Worker(import.meta.url, { type: 'module', name: workerName });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      signal?.addEventListener('abort', reject);
      worker.postMessage(blob);
    });
  } catch {
    return null;
  } finally {
    worker?.terminate();
  }
}

const scope = globalThis as unknown as { name?: string; document?: unknown; onmessage: unknown; postMessage: (message: unknown) => void };
if (!scope.document && scope.name === workerName) {
  scope.onmessage = async ({ data }: MessageEvent<Blob>) => scope.postMessage(await digestSlices(data).catch(() => null));
}
