import { UploadQueue } from './resumable-uploads-element.js';

/** The minimum time between two messages, in milliseconds. On Blazor Server, each message crosses the circuit. */
const interval = 250;

/** The time, in milliseconds, after which a message that is not acknowledged is sent again. A message that is sent while the circuit is disconnected is lost. */
const timeout = 5000;

/** The size of a message, in bytes, from which further events are sent in the next one. By default, SignalR closes a connection after a message of 32 KiB. */
const maxMessageSize = 12_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const endStates = ['completed', 'failed', 'canceled'];
const wait = time => new Promise(resolve => setTimeout(resolve, time));

/**
 * Connects an upload element with its component.
 * @param {HTMLElement} element the element
 * @param {object} receiver the .NET object with the method `Receive`
 * @param {object} settings see `UploadSettings`
 */
export function connect(element, receiver, settings) {
  if (settings.options) {
    // The element creates its queue without options as soon as it is in the page.
    const { headers } = settings.options;
    const queue = createQueue(element, settings.options, settings.providesHeaders ? createHeaderSource(element, receiver, headers) : headers, element.queue);
    element.queue = queue;
    void queue.restore();
  }

  const { queue } = element;
  const sender = createSender(element, receiver);
  const ending = new AbortController();
  const { signal } = ending;
  const keys = new Map();
  let current = settings;

  const getInfo = upload => {
    if (!keys.has(upload)) {
      keys.set(upload, (sender.lastKey += 1));
    }

    return toInfo(upload, keys.get(upload), current.maxResponseBodySize);
  };
  const progress = () => {
    if (current.reportsProgress) {
      sender.report(() => {
        const { offset, size, total, completed, failed, bytesPerSecond, secondsLeft } = queue.progress;
        const running = queue.uploads.filter(({ state }) => state === 'uploading' || state === 'waiting').map(getInfo);
        return { offset, size, total, completed, failed, bytesPerSecond, secondsLeft, running };
      });
    }
  };
  const change = upload => {
    sender.add('state', getInfo(upload));
    progress();
  };
  const update = changed => {
    if (changed.texts) {
      element.texts = changed.texts;
    }

    current = changed;
    progress();
  };
  const find = key => [...keys].find(([, other]) => other === key)?.[0];
  /** Returns a function that acts on the upload with a key, or on the queue. An upload that was removed is ignored. */
  const command = (one, all) => key => key === null ? void all() : void (find(key) && one(find(key)));

  queue.addEventListener('add', ({ detail }) => change(detail), { signal });
  queue.addEventListener('change', ({ detail }) => change(detail), { signal });
  queue.addEventListener('progress', progress, { signal });
  queue.addEventListener('remove', ({ detail }) => {
    sender.add('removed', getInfo(detail));
    keys.delete(detail);
    progress();
  }, { signal });
  element.addEventListener('signin', event => {
    if (current.handlesSignIn) {
      event.preventDefault();
      sender.add('sign-in', getInfo(event.detail));
    }
  }, { signal });
  queue.uploads.forEach(change);
  update(settings);

  return {
    update,
    pause: command(upload => upload.pause(), () => queue.pause()),
    resume: command(upload => upload.resume(), () => {
      queue.resume();
      queue.uploads.forEach(upload => upload.resume());
    }),
    cancel: command(upload => upload.cancel(), () => queue.cancel()),
    retry: command(upload => upload.state === 'failed' && upload.start(), () => queue.retry()),
    clearFinished: () => queue.clearFinished(),
    dispose() {
      ending.abort();
      sender.stop();
    },
  };
}

/** Sends events in order, and the latest progress after them. One message is on its way at a time. */
function createSender(element, receiver) {
  let events = [];
  let getProgress;
  let sequence = 0;
  let isSending = false;
  let isStopped = false;

  const take = () => {
    const taken = [];
    for (let size = 0; events.length && size < maxMessageSize;) {
      size += encoder.encode(JSON.stringify(events[0])).length;
      if (!taken.length || size < maxMessageSize) {
        taken.push(events.shift());
      }
    }

    const progress = events.length ? undefined : getProgress?.();
    if (!events.length) {
      getProgress = undefined;
    }

    return { sequence: (sequence += 1), events: taken, progress };
  };
  const deliver = async message => {
    while (!isStopped && element.isConnected) {
      // While the circuit is disconnected, the promise is never settled.
      const sent = receiver.invokeMethodAsync('Receive', message).catch(() => false);
      if (await Promise.race([sent, wait(timeout).then(() => false)])) {
        return;
      }

      await Promise.race([new Promise(resolve => addEventListener('online', resolve, { once: true })), wait(timeout)]);
    }
  };
  const send = async () => {
    if (isSending) {
      return;
    }

    isSending = true;
    // Events of the same moment are one message.
    await wait(0);
    while (!isStopped && element.isConnected && (events.length || getProgress)) {
      await deliver(take());
      await wait(interval);
    }

    isSending = false;
  };

  return {
    /** The number of uploads that have a key. */
    lastKey: 0,
    add(kind, upload) {
      // Of the states that did not end an upload and are not sent yet, the last is enough.
      events = events.filter(other => other.upload.key !== upload.key || other.kind !== 'state' || kind !== 'state' || endStates.includes(other.upload.state));
      events.push({ kind, upload });
      void send();
    },
    /** @param {() => object} get returns the progress at the time of the message */
    report(get) {
      getProgress = get;
      void send();
    },
    stop() {
      isStopped = true;
    },
  };
}

/**
 * Returns a function that gets the headers of a request from .NET. While the circuit is disconnected, it returns those of the previous request.
 * After a response with status 401, it waits for new ones.
 */
function createHeaderSource(element, receiver, headers) {
  let previous;
  return async refresh => {
    while (element.isConnected) {
      try {
        const current = await Promise.race([receiver.invokeMethodAsync('GetHeaders', refresh), wait(timeout)]);
        // Undefined after the timeout. A provider without headers can return null.
        if (current !== undefined) {
          return previous = { ...headers, ...current };
        }
      } catch (error) {
        if (refresh || !previous) {
          throw error;
        }
      }

      if (!refresh && previous) {
        return previous;
      }
    }

    throw new Error('The element was removed.');
  };
}

function createQueue(element, { includeCredentials, concurrency, chunkSize, digest, autoStart }, headers, previous) {
  previous.pause();
  return new UploadQueue({
    url: element.getAttribute('url'),
    headers: headers ?? undefined,
    credentials: includeCredentials ? 'include' : 'same-origin',
    concurrency: concurrency ?? undefined,
    chunkSize: chunkSize ?? undefined,
    digest,
    autoStart,
  });
}

function toInfo({ id, name, relativePath, size, offset, state, failure, result }, key, maxBodySize) {
  return {
    key,
    id,
    name: cut(name, 1024),
    relativePath: cut(relativePath, 4096),
    size,
    offset,
    state,
    failure: failure && {
      reason: failure.reason,
      status: failure.status,
      title: failure.title && cut(failure.title, 1024),
      detail: failure.detail && cut(failure.detail, 2048),
      limit: failure.limit,
      canRetry: failure.canRetry,
    },
    result: state === 'completed' ? toResult(result, maxBodySize) : null,
  };
}

function toResult({ kind, status, headers, body }, maxBodySize) {
  let size = 0;
  const listed = [...headers].filter(([name, value]) => (size += name.length + value.length) <= 4096);
  const text = cut(body, maxBodySize);
  return {
    wasAlreadyCompleted: kind === 'already-completed',
    status,
    headers: Object.fromEntries(listed),
    body: text,
    isBodyTruncated: text.length < body.length,
  };
}

/** Returns at most a number of bytes of a text. Half characters, which JSON readers reject, are replaced. */
function cut(text, maxSize) {
  const bytes = encoder.encode(text);
  return bytes.length <= maxSize ? decoder.decode(bytes) : decoder.decode(bytes.subarray(0, maxSize)).replace(/\uFFFD$/, '');
}
