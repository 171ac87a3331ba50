import type { UploadOptions } from '../core/types.js';

export interface QueueOptions extends Omit<UploadOptions, 'relativePath' | 'fileName' | 'id' | 'expectedId'> {
  /** The maximum number of concurrent uploads. Default: 3. */
  concurrency?: number;
  /** The name of the IndexedDB database that remembers unfinished uploads, or null. Default: `resumable-uploads`. */
  storage?: string | null;
  /** Whether added uploads start. If false, `resume()` starts them. Default: true. */
  autoStart?: boolean;
}

/** A file, a handle of a file or folder, or a file with the path that is part of its id. */
export type QueueItem = File | FileSystemHandle | { file: File; relativePath?: string; handle?: FileSystemFileHandle };

/** An unfinished upload of an earlier visit, without its file. */
export interface PendingUpload {
  id: string;
  name: string;
  relativePath: string;
  size: number;
  offset: number;
  /** The handle with which `reopen()` opens the file again. */
  handle?: FileSystemFileHandle;
}

export interface QueueProgress {
  /** The bytes of all uploads that are not failed or canceled. */
  offset: number;
  size: number;
  /** The number of uploads, and of those that are completed, failed and running. */
  total: number;
  completed: number;
  failed: number;
  active: number;
  bytesPerSecond: number;
  secondsLeft: number | null;
}
