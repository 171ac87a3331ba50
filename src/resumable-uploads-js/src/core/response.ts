import { fail, retry } from './errors.js';
import type { FailureReason, UploadFailure } from './types.js';

const minFullDelay = 30_000;
const maxRetryDelay = 3_600_000;

/** A response of the file-id protocol. */
export interface Response {
  status: number;
  headers: Headers;
  body: string;
  /** The number of bytes that the server has stored, if the response contains it. */
  _offset: number | null;
  /** Whether the upload is complete, if the response contains it. */
  _complete: boolean | null;
  /** Whether the browser followed a redirect. */
  _redirected: boolean;
  /** The last part of the problem type. Its prefix can be configured on the server. */
  _type: string;
  _details: Partial<UploadFailure>;
}

export function parseResponse(status: number, headers: Headers, body: string, redirected: boolean): Response {
  const problem = parseProblem(body);
  const complete = headers.get('X-Upload-Complete');
  const type = (problem.type ?? '').replace(/.*[:#/]/, '');
  return {
    status, headers, body,
    _redirected: redirected,
    _offset: parseNumber(headers.get('X-Start-Byte')),
    // These problems describe the complete upload of the server, not the end of this one.
    _complete: complete && complete === 'true' && type !== 'upload-complete' && type !== 'different-content',
    _type: type,
    _details: { status, title: problem.title, detail: problem.detail },
  } as Response;
}

/** Browsers follow redirects and report no other response below 200. */
export const isSuccess = (status: number): boolean => status < 300;

/** Returns the number of a header with decimal digits only, or null. */
const parseNumber = (value: string | null): number | null => /^\d{1,16}$/.test(value ?? '') ? Number(value) : null;

/** The reasons of responses that end an upload, by problem type or status. Others are `rejected`. */
const reasons: Record<string, FailureReason> = {
  'digest-mismatch': 'digest-mismatch',
  'owner-quota': 'quota',
  'parked': 'handler-failed',
  'taken-over': 'taken-over',
  401: 'signed-out',
  403: 'forbidden',
  404: 'gone',
  405: 'unsupported',
  407: 'signed-out',
  410: 'gone',
  413: 'too-large',
  415: 'type-refused',
};

/** The reasons of responses after which the upload is retried. Others are `server`. They include a handler that can succeed later. */
const retryReasons: Record<string, FailureReason> = { 'too-many-uploads': 'quota', 'handler-failed': 'handler-failed', 507: 'server-full' };

/** Throws for a response with which the upload cannot continue: a `RetryError` for a temporary cause, otherwise an `UploadError`. */
export function throwIfFailed({ status, headers, _offset, _complete, _type, _details }: Response): void {
  if (isSuccess(status) || _complete || _type === 'upload-complete' || _type === 'mismatching-upload-offset' && _offset !== null) {
    return;
  }

  if ((status >= 500 || [408, 425, 429].includes(status) || _type === 'interrupted') && _type !== 'parked') {
    throw retry(
      retryReasons[_type] ?? retryReasons[status] ?? (_complete === false ? 'handler-failed' : 'server'),
      _details,
      Math.max(status === 507 ? minFullDelay : 0, parseRetryAfter(headers.get('Retry-After'))));
  }

  throw fail(reasons[_type] ?? (status === 403 && _type === 'refused' ? 'rejected' : reasons[status] ?? 'rejected'), _details);
}

function parseProblem(body: string): { type?: string; title?: string; detail?: string } {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}

/** Returns the delay in milliseconds: seconds or a date, at most an hour. */
function parseRetryAfter(value: string | null): number {
  const delay = Number(value) * 1000 || Date.parse(value ?? '') - Date.now();
  return Math.min(Math.max(0, delay || 0), maxRetryDelay);
}
