import type { FailureReason, UploadFailure } from '../core/types.js';
import type { Language } from './language.js';

/** What a person can do about a failure, or about an upload of an earlier visit. */
export type Remedy = 'retry' | 'chooseAgain' | 'signIn' | 'continueHere' | 'resume';

const remedies: Partial<Record<FailureReason, Remedy | ''>> = {
  'signed-out': 'signIn',
  'file-changed': 'chooseAgain',
  'file-unreadable': 'chooseAgain',
  'taken-over': 'continueHere',
  forbidden: '',
  unsupported: '',
};

/** Returns the action that fits a failure, besides its removal, if there is one. */
export const remedyFor = ({ reason, canRetry }: UploadFailure): Remedy | '' | false => remedies[reason] ?? (canRetry && 'retry');

/** Returns a failure as text. The words of the app, for example of `upload.Reject`, are shown as they are. */
export function failureText({ reason, title, detail, limit = Infinity }: UploadFailure, language: Language, maxSize: number): string {
  if (reason === 'rejected' && (detail ?? title)) {
    return (detail ?? title)!.replace(/\.$/, '');
  }

  const size = Math.min(limit, maxSize);
  return language._text(reason) + (reason === 'too-large' && size < Infinity ? ' · ' + language._text('maxSize', { size: language._bytes(size) }) : '');
}
