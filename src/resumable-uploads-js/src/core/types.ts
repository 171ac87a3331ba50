/**
 * The state of an upload. `preparing`: computes the id, requests limits and offset. `waiting`: waits for a retry or for the network.
 */
export type UploadState = 'idle' | 'preparing' | 'uploading' | 'waiting' | 'paused' | 'completed' | 'failed' | 'canceled';

/** Why an upload failed. */
export type FailureReason =
  | 'too-large' | 'type-refused' | 'signed-out' | 'forbidden' | 'taken-over' | 'file-changed' | 'file-unreadable' | 'quota' | 'server-full'
  | 'digest-mismatch' | 'handler-failed' | 'rejected' | 'gone' | 'network' | 'server' | 'unsupported';

/** What is known about a failure. */
export interface UploadFailure {
  reason: FailureReason;
  /** The HTTP status code, if a response caused the failure. */
  status?: number;
  /** The title of the server's problem response. */
  title?: string;
  /** The detail of the server's problem response: what to do next. */
  detail?: string;
  /** The maximum size in bytes, if the file is larger. */
  limit?: number;
  /** Whether the same upload can succeed later: `start()` continues it. */
  canRetry: boolean;
}

/** Request headers, or a function that is called before each request. `refresh` is true after a response with status 401. */
export type UploadHeaders = Record<string, string> | ((refresh: boolean) => Record<string, string> | Promise<Record<string, string>>);

export interface UploadOptions {
  /** The upload URL. A relative URL is resolved against the page. */
  url: string | URL;
  /** Additional request headers. A function is called before each request, so that it can refresh an expired token. */
  headers?: UploadHeaders;
  /** `include` sends cookies to another origin. Default: `same-origin`. */
  credentials?: 'same-origin' | 'include';
  /** The maximum size of a request, in bytes. Default: the rest of the file in one request, or the server's maximum. */
  chunkSize?: number;
  /** Whether the SHA-256 of the whole file is sent, so that the server verifies the content. Default: false. */
  digest?: boolean;
  /** The path that is part of the id. Default: `webkitRelativePath`, or the name. */
  relativePath?: string;
  /** The name that the server receives. Default: the name of the file. */
  fileName?: string;
  /** The id of the upload. Default: computed from path, size, modification time and content. */
  id?: string;
  /** The id that the file must have. If the computed id differs, the upload fails with `file-changed`. */
  expectedId?: string;
  /** The number of consecutive retries without progress. Default: 20. */
  maxRetries?: number;
  /** The time without progress, in milliseconds, after which a request is aborted. Default: 30000. */
  stallTimeout?: number;
}

/** The response to a completed upload. */
export interface UploadResult {
  /** `already-completed`: the server had the file before, and returned its stored response. */
  kind: 'completed' | 'already-completed';
  id: string;
  status: number;
  headers: Headers;
  body: string;
}

export interface UploadSnapshot {
  state: UploadState;
  offset: number;
  size: number;
}
