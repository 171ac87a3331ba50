import type { FailureReason, UploadFailure } from '../core/types.js';
import type { Language } from './language.js';
import type { TextKey } from './texts.js';

/** What a person can do about a failure. */
export type Remedy = 'retry' | 'chooseAgain' | 'signIn' | 'continueHere' | null;

const remedies: Partial<Record<FailureReason, Remedy>> = {
  'too-large': null,
  'type-refused': null,
  forbidden: null,
  unsupported: null,
  'signed-out': 'signIn',
  'file-changed': 'chooseAgain',
  'file-unreadable': 'chooseAgain',
  'taken-over': 'continueHere',
};

/** Returns the action that fits a failure, besides its removal. */
export function remedyFor({ reason, canRetry }: UploadFailure): Remedy {
  const remedy = reason in remedies ? remedies[reason]! : 'retry';
  return remedy === 'retry' && !canRetry ? null : remedy;
}

/** Returns a failure as text. The words of the app, for example of `upload.Reject`, are shown as they are. */
export function failureText({ reason, title, detail, limit = Infinity }: UploadFailure, language: Language, maxSize: number): string {
  if (reason === 'rejected' && (detail ?? title)) {
    return (detail ?? title)!.replace(/\.$/, '');
  }

  const size = Math.min(limit, maxSize);
  return reason === 'too-large' && Number.isFinite(size) ? language.text('tooLargeLimit', { size: language.bytes(size) }) : language.text(reason as TextKey);
}
