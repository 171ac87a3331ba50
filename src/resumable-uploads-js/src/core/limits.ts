import { isSuccess } from './response.js';
import type { Protocol } from './protocol.js';

/** The limits of a server, in bytes. */
export interface Limits {
  _maxSize: number;
  _maxAppendSize: number;
}

const unlimited: Limits = { _maxSize: Infinity, _maxAppendSize: Infinity };
const known = new Map<string, Promise<Limits>>();

/** Requests the limits of the server once per URL. A server without limits, or an error, results in no limits. */
export function getLimits(protocol: Protocol): Promise<Limits> {
  let limits = known.get(protocol._url);
  if (!limits) {
    limits = protocol._fetch('OPTIONS')
      .then(response => isSuccess(response.status) ? parseLimits(response.headers) : Promise.reject())
      .catch(() => {
        known.delete(protocol._url);
        return unlimited;
      });
    known.set(protocol._url, limits);
  }

  return limits;
}

/** Reads `Upload-Limit`, a structured field. */
export function parseLimits(headers: Headers): Limits {
  const get = (key: string): number => Number(headers.get('Upload-Limit')?.match(`\\b${key}=(\\d+)`)?.[1] ?? Infinity);
  return {
    _maxSize: get('max-size'),
    _maxAppendSize: get('max-append-size'),
  };
}
