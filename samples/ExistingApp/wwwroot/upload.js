const chunkSize = 8 * 1024 * 1024;
const retryableStatuses = new Set([408, 425, 429, 503, 507]);

/** Resolves after the first response, which sets the cookie of an anonymous browser. Concurrent first requests would get different cookies. */
let ready = null;

/** Sends a body to an endpoint in chunks, retries after errors, and returns the endpoint's response. */
async function send(url, body, { id, type, signal, onProgress }) {
  const headers = { 'X-File-Id': id };
  for (let delay = 1000; ; delay = Math.min(2 * delay, 30_000)) {
    try {
      await (ready ??= fetch(url, { headers, signal }).catch(() => { ready = null; }));
      let isLast = false;
      let response = await fetch(url, { headers, signal });
      while (response.ok && !isLast) {
        if (!response.headers.has('X-Start-Byte')) {
          // Not a response of the upload endpoint, but for example a sign-in page that fetch was redirected to.
          return Response.error();
        }

        const offset = Number(response.headers.get('X-Start-Byte'));
        onProgress(offset);
        response = await fetch(url, {
          method: 'POST',
          headers: { ...headers, 'X-Start-Byte': offset, 'X-File-Size': body.size, 'Content-Type': type },
          body: body.slice(offset, offset + chunkSize),
          signal,
        });
        isLast = response.headers.get('X-Upload-Complete') === 'true';
        delay = 500;
      }

      if (isLast || !retryableStatuses.has(response.status)) {
        return response;
      }
    } catch (error) {
      if (signal.aborted) {
        throw error;
      }
    }

    await new Promise(resolve => {
      setTimeout(resolve, delay);
      signal.addEventListener('abort', resolve);
    });
  }
}

/** Returns the content to send: the file of the form or, for a multipart form, the whole form including the token. */
async function getContent(form) {
  if (form.enctype === 'multipart/form-data') {
    // Serialize the form once, so that all chunks belong to the same body with the same boundary.
    const multipart = new Response(new FormData(form));
    return { body: await multipart.blob(), type: multipart.headers.get('Content-Type'), id: crypto.getRandomValues(new Uint32Array(4)).join('-') };
  }

  const [file] = form.querySelector('input').files;
  return {
    body: file,
    type: form.dataset.type ?? (file.type || 'application/octet-stream'),
    id: await getFileId(file),
  };
}

/** Returns an id that differs for different files: by path, size, date and, where the browser can compute it, a digest of both ends. */
async function getFileId(file) {
  const ends = new Blob([file.slice(0, 65536), file.slice(-65536)]);
  // Browsers define subtle only on HTTPS and localhost.
  const hash = await crypto.subtle?.digest('SHA-256', await ends.arrayBuffer());
  const digest = hash ? btoa(String.fromCharCode(...new Uint8Array(hash))) : '';
  return encodeURIComponent(`${file.webkitRelativePath || file.name}-${file.size}-${file.lastModified}-${digest}`);
}

/** Returns the message in a response. */
async function getMessage(response) {
  const text = await response.text();
  const type = response.headers.get('Content-Type') ?? '';
  if (!response.ok && /[/+]json/.test(type)) {
    const { title, detail, errors } = JSON.parse(text);
    return [title, detail, ...Object.values(errors ?? {}).flat()].filter(Boolean).join('\n');
  }

  return type.startsWith('text/html') ? new DOMParser().parseFromString(text, 'text/html').querySelector('main')?.innerText.trim() : text;
}

function makeResumable(form) {
  form.append(document.getElementById('sending').content.cloneNode(true));
  const [button, cancel] = form.querySelectorAll('button');
  const progress = form.querySelector('progress');
  const output = form.querySelector('output');

  form.addEventListener('submit', async event => {
    event.preventDefault();
    const abort = new AbortController();
    const url = form.action;
    const { body, type, id } = await getContent(form);
    cancel.onclick = () => abort.abort();
    button.disabled = true;
    cancel.hidden = progress.hidden = false;
    output.value = 'Sending';
    try {
      const onProgress = offset => { progress.value = offset / Math.max(body.size, 1); };
      const response = await send(url, body, { id, type, signal: abort.signal, onProgress });
      output.value = `${response.ok ? 'Done' : 'Failed'} (${response.status})\n${await getMessage(response)}`;
    } catch {
      // Only the Cancel button aborts an upload, so delete it from the server.
      await fetch(url, { method: 'DELETE', headers: { 'X-File-Id': id } }).catch(() => {});
      output.value = 'Cancelled';
    } finally {
      button.disabled = false;
      cancel.hidden = progress.hidden = true;
    }
  });
}

for (const form of document.forms) {
  makeResumable(form);
}

// Load the document form from the server, which adds the antiforgery token.
const container = document.querySelector('[data-form]');
const page = new DOMParser().parseFromString(await (await fetch(container.dataset.form)).text(), 'text/html');
makeResumable(container.appendChild(document.adoptNode(page.querySelector('form'))));
