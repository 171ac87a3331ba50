/**
 * What a server's answer means for an upload.
 * @module
 */

const diskFullWait = 30_000;
const longestWait = 3_600_000;

/** Something that passes by itself: the upload goes on after a wait. */
export class Setback extends Error {
  /**
   * @param {'connection'|'server'|'disk-full'|'unexpected'} reason what was in the way
   * @param {{title?: string, wait?: number}} [more] the server's words, and the least wait in milliseconds
   */
  constructor(reason, { title, wait } = {}) {
    super(title ?? reason);
    this.reason = reason;
    this.title = title;
    this.wait = wait;
  }
}

/** The end of an upload that did not work; trying again by itself would not help. */
export class Refusal extends Error {
  /** @param {string} title what happened @param {string} [detail] what to do */
  constructor(title, detail) {
    super(detail ? `${title} ${detail}` : title);
    this.title = title;
    this.detail = detail;
  }
}

/** Somebody else goes on with this upload. Whoever retries on this by itself takes it away again, for ever. */
export class TakenOver extends Error {}

/**
 * @typedef {object} Answer
 * @property {number} status the HTTP status
 * @property {number|null} offset the bytes that the server holds, where it says so
 * @property {boolean|null} complete whether the upload is finished, where the server says so
 * @property {number|null} retryAfter milliseconds to wait, where the server says so
 * @property {{type?: string, title?: string, detail?: string}} problem empty where there is none
 */

/**
 * Says whether an upload goes on after an answer.
 * @param {Answer} answer
 * @returns {Answer} the answer, when it is a success or a 409 that tells where to go on
 * @throws {Setback|Refusal|TakenOver}
 */
export function judge(answer) {
  const { status, complete, retryAfter, problem } = answer;
  if (status >= 200 && status < 300) {
    return answer;
  }

  if (status === 507) {
    throw new Setback('disk-full', { wait: Math.max(diskFullWait, retryAfter ?? 0) });
  }

  // Never the outcome of a finished upload either: the same bytes can be tried again without being sent again.
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    throw new Setback('server', { title: problem.title, wait: retryAfter ?? undefined });
  }

  // With a 409 that is the outcome of a finished upload there is nothing to go on with.
  if (status === 409 && !complete) {
    if (isOfType(problem, 'taken-over')) {
      throw new TakenOver();
    }

    if (isOfType(problem, 'upload-complete') || answer.offset !== null) {
      return answer;
    }
  }

  throw new Refusal(problem.title ?? plainTitles[status] ?? `The server answered ${status}.`, problem.detail);
}

/**
 * Whether a problem is of a type, whatever the address that the type stands under.
 * @param {{type?: string}} problem
 * @param {string} name the last part of the type
 */
export function isOfType(problem, name) {
  return typeof problem.type === 'string' && problem.type.endsWith(name);
}

/** For servers in front of the app, which know nothing of problem documents. */
const plainTitles = {
  401: 'You have to sign in first.',
  403: 'You may not upload here.',
  404: 'There is no upload server at this address.',
  413: 'The file is larger than this server allows.',
};

/**
 * Makes a value of what came back.
 * @param {number} status
 * @param {(name: string) => string|null} header
 * @param {string} body
 * @returns {Answer}
 */
export function read(status, header, body) {
  return {
    status,
    offset: wholeNumber(header('X-Start-Byte') ?? (status === 200 ? body.trim() : null)),
    complete: { true: true, false: false }[header('X-Upload-Complete')?.toLowerCase()] ?? null,
    retryAfter: milliseconds(header('Retry-After')),
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

function wholeNumber(text) {
  return text !== null && /^\d{1,16}$/.test(text) ? Number(text) : null;
}

function milliseconds(retryAfter) {
  const wait = /^\d+$/.test(retryAfter ?? '') ? retryAfter * 1000 : Date.parse(retryAfter ?? '') - Date.now();
  return Number.isNaN(wait) ? null : Math.min(Math.max(0, wait), longestWait);
}
