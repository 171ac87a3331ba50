import { fail, retry } from './errors.js';
import type { UploadFailure } from './types.js';

const minFullDelay = 30_000;
const maxRetryDelay = 3_600_000;

/** A response of the file-id protocol. */
export interface Response {
  status: number;
  headers: Headers;
  body: string;
  /** The number of bytes that the server has stored, if the response contains it. */
  offset: number | null;
  /** Whether the upload is complete, if the response contains it. */
  complete: boolean | null;
  /** Whether the browser followed a redirect. */
  redirected: boolean;
  /** The last part of the problem type. Its prefix can be configured on the server. */
  type: string;
  details: Partial<UploadFailure>;
}

export function parseResponse(status: number, headers: Headers, body: string, redirected: boolean): Response {
  const problem = parseProblem(headers, body);
  const complete = headers.get('X-Upload-Complete');
  return {
    status, headers, body, redirected,
    offset: parseNumber(headers.get('X-Start-Byte')),
    complete: complete && complete.toLowerCase() === 'true',
    type: String(problem.type ?? '').replace(/.*[:#/]/, ''),
    details: { status, title: text(problem.title), detail: text(problem.detail) },
  } as Response;
}

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** Returns the number of a header with decimal digits only, or null. */
export const parseNumber = (value: string | null | undefined): number | null => /^\d{1,16}$/.test(value ?? '') ? Number(value) : null;

/** Throws for a response with which the upload cannot continue: a `RetryError` for a temporary cause, otherwise an `UploadError`. */
export function throwIfFailed({ status, headers, offset, complete, type, details }: Response): void {
  const delay = parseRetryAfter(headers.get('Retry-After'));
  if (isSuccess(status) || complete) {
    return;
  }

  if (status === 401 || status === 407) {
    throw fail('signed-out', true, details);
  }

  if (status === 507) {
    throw retry('server-full', details, Math.max(minFullDelay, delay));
  }

  if (type === 'parked') {
    throw fail('handler-failed', false, details);
  }

  // These include the responses of a handler that can succeed later.
  if (status === 408 || status === 425 || status === 429 || status >= 500 || type === 'interrupted') {
    throw retry(type === 'too-many-uploads' ? 'quota' : type === 'handler-failed' || complete === false ? 'handler-failed' : 'server', details, delay);
  }

  if (status === 409) {
    if (type === 'taken-over') {
      throw fail('taken-over', true, details);
    }

    if (type === 'upload-complete' || type === 'mismatching-upload-offset' && offset !== null) {
      return;
    }
  }

  throw type === 'digest-mismatch' ? fail(type, true, details)
    : type === 'owner-quota' ? fail('quota', true, details)
    : status === 413 ? fail('too-large', false, details)
    : status === 415 ? fail('type-refused', false, details)
    : status === 403 && type !== 'refused' ? fail('forbidden', true, details)
    : status === 404 || status === 410 ? fail('gone', true, details)
    : status === 405 ? fail('unsupported', false, details)
    : fail('rejected', false, details);
}

function parseProblem(headers: Headers, body: string): Record<string, unknown> {
  try {
    return /json/i.test(headers.get('Content-Type') ?? '') && JSON.parse(body) || {};
  } catch {
    return {};
  }
}

const text = (value: unknown): string | undefined => typeof value === 'string' ? value : undefined;

/** Returns the delay in milliseconds: seconds or a date, at most an hour. */
function parseRetryAfter(value: string | null): number {
  const delay = /^\d+$/.test(value ?? '') ? Number(value) * 1000 : Date.parse(value ?? '') - Date.now();
  return Math.min(Math.max(0, delay || 0), maxRetryDelay);
}
