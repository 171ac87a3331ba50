import { bytes, duration, percent } from './format.js';

const stateTexts = {
  'choose-again': 'Choose this file again to continue',
  waiting: 'Waiting',
  checking: 'Checking the upload status',
  uploading: 'Uploading',
  paused: 'Paused',
  'taken-over': 'Continued in another tab or on another device',
  done: 'Done',
  cancelled: 'Cancelled',
};

const retryReasons = {
  connection: 'Connection lost',
  server: 'The server is busy',
  'disk-full': "The server's disk is full",
  unexpected: 'Unexpected response from the server',
};

/** Returns the state of an upload as text, without a countdown. @param {import('./upload.js').Upload} upload */
export function shortStatusText(upload) {
  if (upload.state === 'retrying') {
    const { reason, title } = upload.retry;
    return `${withoutFullStop(title ?? retryReasons[reason])} – retrying`;
  }

  if (upload.state === 'failed') {
    const { title, detail } = upload.problem;
    return `Failed: ${detail ? `${withoutFullStop(title)}. ${detail}` : title}`;
  }

  return upload.state === 'uploading' && upload.offset === upload.size ? 'All bytes sent, waiting for the server' : stateTexts[upload.state];
}

/** Returns the state of an upload as text, with the time until the next retry. @param {import('./upload.js').Upload} upload */
export function statusText(upload) {
  if (upload.state !== 'retrying') {
    return shortStatusText(upload);
  }

  const seconds = Math.ceil((upload.retry.at - Date.now()) / 1000);
  return `${shortStatusText(upload)} ${seconds > 0 ? `in ${duration(seconds)}` : 'now'}`;
}

/** Returns the progress of an upload, such as `3.4 MB of 10 MB · 34 %`, or only its size. @param {import('./upload.js').Upload} upload */
export function progressText({ offset, size, state }) {
  return state === 'done' || (state === 'waiting' && offset === 0) ? bytes(size) : `${bytes(offset)} of ${bytes(size)} · ${percent(offset, size)} %`;
}

/**
 * Returns the speed and the remaining time, or an empty string if they are not known.
 * @param {number|null} rate bytes per second
 * @param {number} remaining bytes
 */
export function speedText(rate, remaining) {
  if (rate === null || remaining === 0) {
    return '';
  }

  return rate < 1 ? 'stalled' : `${bytes(rate)}/s · ${duration(remaining / rate)} left`;
}

function withoutFullStop(sentence) {
  return sentence.replace(/\.$/, '');
}
