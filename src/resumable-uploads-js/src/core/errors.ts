import type { FailureReason, UploadFailure } from './types.js';

/** The error of a failed upload. `failure` is null if the upload was canceled. */
export class UploadError extends Error {
  constructor(readonly failure: UploadFailure | null) {
    super(failure ? failure.title ?? failure.reason : 'canceled');
    this.name = 'UploadError';
  }
}

/** An error after which the upload continues from the server's offset, after a delay. */
export class RetryError {
  /** @param delay the minimum delay in milliseconds, or -1 to retry at once */
  constructor(readonly failure: UploadFailure, readonly delay = 0) {}
}

/** Creates an error that ends the upload. */
export const fail = (reason: FailureReason, canRetry = false, details?: Partial<UploadFailure>): UploadError =>
  new UploadError({ reason, canRetry, ...details });

/** Creates an error after which the upload is retried. */
export const retry = (reason: FailureReason, details?: Partial<UploadFailure>, delay?: number): RetryError =>
  new RetryError({ reason, canRetry: true, ...details }, delay);
