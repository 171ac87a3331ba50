/**
 * Parses the responses of the server and decides what they mean for an upload.
 * @module
 */

const minDiskFullDelay = 30_000;
const maxRetryDelay = 3_600_000;

/** A temporary error: the upload is retried after a delay. */
export class TemporaryError extends Error {
  /**
   * @param {'connection'|'server'|'disk-full'|'unexpected'} reason
   * @param {{title?: string, delay?: number}} [details] the title from the server, and the minimum delay in milliseconds
   */
  constructor(reason, { title, delay } = {}) {
    super(title ?? reason);
    this.reason = reason;
    this.title = title;
    this.delay = delay;
  }
}

/** A permanent error: an automatic retry would fail again. */
export class PermanentError extends Error {
  /** @param {string} title what happened @param {string} [detail] what to do */
  constructor(title, detail) {
    super(detail ? `${title} ${detail}` : title);
    this.title = title;
    this.detail = detail;
  }
}

/** Another client continues this upload. It must not be retried automatically, or two clients would interrupt each other forever. */
export class TakenOverError extends Error {}

/**
 * @typedef {object} UploadResponse
 * @property {number} status the HTTP status code
 * @property {number|null} offset the number of bytes that the server has stored, if the response contains it
 * @property {boolean|null} complete whether the upload is complete, if the response contains it
 * @property {number|null} retryAfter the delay before a retry, in milliseconds, if the response contains it
 * @property {{type?: string, title?: string, detail?: string}} problem the problem details, or an empty object
 */

/**
 * Returns a response with which the upload can continue: a success, or a 409 with the offset to continue from.
 * @param {UploadResponse} response
 * @returns {UploadResponse}
 * @throws {TemporaryError|PermanentError|TakenOverError} for every other response
 */
export function ensureUsable(response) {
  const { status, complete, retryAfter, problem } = response;
  if (status >= 200 && status < 300) {
    return response;
  }

  if (status === 507) {
    throw new TemporaryError('disk-full', { delay: Math.max(minDiskFullDelay, retryAfter ?? 0) });
  }

  // Also retried if the upload is complete: then only the completion handler runs again, and no bytes are sent.
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    throw new TemporaryError('server', { title: problem.title, delay: retryAfter ?? undefined });
  }

  // A 409 for a complete upload is the response of the completion handler, not an offset conflict.
  if (status === 409 && !complete) {
    if (hasProblemType(problem, 'taken-over')) {
      throw new TakenOverError();
    }

    if (hasProblemType(problem, 'upload-complete') || response.offset !== null) {
      return response;
    }
  }

  throw new PermanentError(problem.title ?? defaultTitles[status] ?? `The server responded with status code ${status}.`, problem.detail);
}

/**
 * Returns whether a problem has a type. The prefix of the type can be configured on the server, so only the last part is compared.
 * @param {{type?: string}} problem
 * @param {string} name the last part of the type
 */
export function hasProblemType(problem, name) {
  return typeof problem.type === 'string' && problem.type.endsWith(name);
}

/** Titles for responses without problem details, for example from a proxy. */
const defaultTitles = {
  401: 'You have to sign in first.',
  403: 'You are not allowed to upload here.',
  404: 'There is no upload server at this address.',
  413: 'The file is larger than this server allows.',
};

/**
 * Parses a response.
 * @param {number} status
 * @param {(name: string) => string|null} header
 * @param {string} body
 * @returns {UploadResponse}
 */
export function parseResponse(status, header, body) {
  return {
    status,
    offset: parseInteger(header('X-Start-Byte') ?? (status === 200 ? body.trim() : null)),
    complete: { true: true, false: false }[header('X-Upload-Complete')?.toLowerCase()] ?? null,
    retryAfter: parseRetryAfter(header('Retry-After')),
    problem: /\bjson\b/i.test(header('Content-Type') ?? '') ? parseProblem(body) : {},
  };
}

function parseProblem(body) {
  try {
    const { type, title, detail } = JSON.parse(body) ?? {};
    return { type, title, detail };
  } catch {
    return {};
  }
}

function parseInteger(text) {
  return text !== null && /^\d{1,16}$/.test(text) ? Number(text) : null;
}

function parseRetryAfter(value) {
  const delay = /^\d+$/.test(value ?? '') ? value * 1000 : Date.parse(value ?? '') - Date.now();
  return Number.isNaN(delay) ? null : Math.min(Math.max(0, delay), maxRetryDelay);
}
