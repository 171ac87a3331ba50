import type { FailureReason, UploadFailure } from './types.js';

/** The error of a failed upload. `failure` is null if the upload was canceled. */
export class UploadError extends Error {
  readonly failure: UploadFailure | null;
  /** The minimum delay, in milliseconds, after which the upload continues from the server's offset, or -1 to continue at once. Without it, the upload ends. */
  declare _delay?: number;

  constructor(failure: UploadFailure | null) {
    super(failure ? failure.title ?? failure.reason : 'canceled');
    this.name = 'UploadError';
    this.failure = failure;
  }
}

/** The reasons for which the same file fails again. */
const permanentReasons: FailureReason[] = ['too-large', 'type-refused', 'rejected', 'handler-failed', 'file-changed'];

/** Creates an error that ends the upload. */
export const fail = (reason: FailureReason, details?: Partial<UploadFailure>): UploadError =>
  new UploadError({ reason, canRetry: !permanentReasons.includes(reason), ...details });

/** Creates an error after which the upload is retried. */
export const retry = (reason: FailureReason, details?: Partial<UploadFailure>, delay = 0): UploadError =>
  Object.assign(new UploadError({ reason, canRetry: true, ...details }), { _delay: delay });
