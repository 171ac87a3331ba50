import { bytes, percent, span } from './format.js';

const plain = {
  'choose-again': 'Choose this file again to continue',
  waiting: 'Waiting',
  checking: 'Checking what the server has',
  uploading: 'Uploading',
  paused: 'Paused',
  'taken-over': 'Another tab or device continues this upload',
  done: 'Done',
  cancelled: 'Cancelled',
};

const setbacks = {
  connection: 'Connection lost',
  server: 'The server is busy',
  'disk-full': "The server's disk is full",
  unexpected: 'Unexpected answer from the server',
};

/** The state of an upload in words, without what changes by the second. @param {import('./upload.js').Upload} upload */
export function briefWords(upload) {
  if (upload.state === 'retrying') {
    const { reason, title } = upload.setback;
    return `${withoutStop(title ?? setbacks[reason])} – trying again`;
  }

  if (upload.state === 'failed') {
    const { title, detail } = upload.problem;
    return `Failed: ${detail ? `${withoutStop(title)}. ${detail}` : title}`;
  }

  return upload.state === 'uploading' && upload.offset === upload.size ? 'All sent, waiting for the server' : plain[upload.state];
}

/** The state of an upload in words. @param {import('./upload.js').Upload} upload */
export function words(upload) {
  if (upload.state !== 'retrying') {
    return briefWords(upload);
  }

  const seconds = Math.ceil((upload.setback.at - Date.now()) / 1000);
  return `${briefWords(upload)} ${seconds > 0 ? `in ${span(seconds)}` : 'now'}`;
}

/** How much of an upload is there, such as `3.4 MB of 10 MB · 34 %`, or its size where that says all. @param {import('./upload.js').Upload} upload */
export function amount({ offset, size, state }) {
  return state === 'done' || (state === 'waiting' && offset === 0) ? bytes(size) : `${bytes(offset)} of ${bytes(size)} · ${percent(offset, size)} %`;
}

/**
 * Speed and time left, or an empty text where nothing can be said.
 * @param {number|null} rate bytes per second
 * @param {number} left bytes
 */
export function pace(rate, left) {
  if (rate === null || left === 0) {
    return '';
  }

  return rate < 1 ? 'stalled' : `${bytes(rate)}/s · ${span(left / rate)} left`;
}

function withoutStop(sentence) {
  return sentence.replace(/\.$/, '');
}
