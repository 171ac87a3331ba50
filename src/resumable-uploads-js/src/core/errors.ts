import type { FailureReason, UploadFailure } from './types.js';

/** The error of a failed upload. `failure` is null if the upload was canceled. */
export class UploadError extends Error {
  readonly failure: UploadFailure | null;

  constructor(failure: UploadFailure | null) {
    super(failure ? failure.title ?? failure.reason : 'canceled');
    this.name = 'UploadError';
    this.failure = failure;
  }
}

/** An error after which the upload continues from the server's offset, after at least a delay in milliseconds. */
export class RetryError extends UploadError {
  declare _delay: number;
}

/** The reasons for which the same file fails again. */
const permanentReasons: FailureReason[] = ['too-large', 'type-refused', 'rejected', 'handler-failed', 'file-changed'];

/** Creates an error that ends the upload. */
export const fail = (reason: FailureReason, details?: Partial<UploadFailure>): UploadError =>
  new UploadError({ reason, canRetry: !permanentReasons.includes(reason), ...details });

/** Creates an error after which the upload is retried. @param delay the minimum delay in milliseconds, or -1 to retry at once */
export const retry = (reason: FailureReason, details?: Partial<UploadFailure>, delay = 0): RetryError =>
  Object.assign(new RetryError({ reason, canRetry: true, ...details }), { _delay: delay });
