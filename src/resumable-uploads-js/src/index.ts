export type { FailureReason, UploadFailure, UploadHeaders, UploadOptions, UploadResult, UploadSnapshot, UploadState } from './core/types.js';
export { UploadError } from './core/errors.js';
export { ResumableUpload } from './core/upload.js';
export { UploadQueue } from './queue/queue.js';
export type { PendingUpload, QueueItem, QueueOptions, QueueProgress } from './queue/types.js';
