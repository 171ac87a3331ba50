import { isSuccess, parseNumber } from './response.js';
import type { Protocol } from './protocol.js';

/** The limits of a server, in bytes. */
export interface Limits {
  maxSize: number;
  maxAppendSize: number;
}

const unlimited: Limits = { maxSize: Infinity, maxAppendSize: Infinity };
const known = new Map<string, Promise<Limits>>();

/** Requests the limits of the server once per URL. A server without limits, or an error, results in no limits. */
export function getLimits(protocol: Protocol): Promise<Limits> {
  let limits = known.get(protocol.url);
  if (!limits) {
    limits = protocol.fetch('OPTIONS', {}, new AbortController().signal)
      .then(response => isSuccess(response.status) ? parseLimits(response.headers) : Promise.reject())
      .catch(() => {
        known.delete(protocol.url);
        return unlimited;
      });
    known.set(protocol.url, limits);
  }

  return limits;
}

/** Reads `Upload-Limit`, a structured field, and `Tus-Max-Size`. */
export function parseLimits(headers: Headers): Limits {
  const field = headers.get('Upload-Limit') ?? '';
  const get = (key: string): number | null => parseNumber(new RegExp(`(?:^|[,\\s])${key}=(\\d+)`).exec(field)?.[1]);
  return {
    maxSize: get('max-size') ?? parseNumber(headers.get('Tus-Max-Size')) ?? Infinity,
    maxAppendSize: get('max-append-size') ?? Infinity,
  };
}
