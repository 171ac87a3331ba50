const pieceSize = 8 * 1024 * 1024;
const later = new Set([408, 425, 429, 503, 507]);

/** Sends a body to an endpoint in pieces, goes on after errors, and gives the endpoint's answer. */
async function send(url, body, { id, type, signal, onProgress }) {
  const headers = { 'X-File-Id': id };
  for (let wait = 1000; ; wait = Math.min(2 * wait, 30_000)) {
    try {
      let isLast = false;
      let answer = await fetch(url, { headers, signal });
      while (answer.ok && !isLast) {
        const offset = Number(answer.headers.get('X-Start-Byte'));
        onProgress(offset);
        answer = await fetch(url, {
          method: 'POST',
          headers: { ...headers, 'X-Start-Byte': offset, 'X-File-Size': body.size, 'Content-Type': type },
          body: body.slice(offset, offset + pieceSize),
          signal,
        });
        isLast = answer.headers.get('X-Upload-Complete') === 'true';
        wait = 500;
      }

      if (isLast || !later.has(answer.status)) {
        return answer;
      }
    } catch (error) {
      if (signal.aborted) {
        throw error;
      }
    }

    await new Promise(resolve => {
      setTimeout(resolve, wait);
      signal.addEventListener('abort', resolve);
    });
  }
}

/** What a form sends: its one file, or all of it as the browser would send it, token included. */
async function contentOf(form) {
  if (form.enctype === 'multipart/form-data') {
    // Made into bytes once, so that every piece is of the same body, with the same boundary.
    const whole = new Response(new FormData(form));
    return { body: await whole.blob(), type: whole.headers.get('Content-Type'), id: crypto.getRandomValues(new Uint32Array(4)).join('-') };
  }

  const [file] = form.querySelector('input').files;
  return {
    body: file,
    type: form.dataset.type ?? (file.type || 'application/octet-stream'),
    id: encodeURIComponent(`${file.name}-${file.size}-${file.lastModified}`),
  };
}

/** What an endpoint has answered, in words. */
async function wordsOf(answer) {
  const text = await answer.text();
  const type = answer.headers.get('Content-Type') ?? '';
  if (!answer.ok && /[/+]json/.test(type)) {
    const { title, detail, errors } = JSON.parse(text);
    return [title, detail, ...Object.values(errors ?? {}).flat()].filter(Boolean).join('\n');
  }

  return type.startsWith('text/html') ? new DOMParser().parseFromString(text, 'text/html').querySelector('main')?.innerText.trim() : text;
}

function sendInPieces(form) {
  form.append(document.getElementById('sending').content.cloneNode(true));
  const [button, cancel] = form.querySelectorAll('button');
  const progress = form.querySelector('progress');
  const output = form.querySelector('output');

  form.addEventListener('submit', async event => {
    event.preventDefault();
    const abort = new AbortController();
    const url = form.action;
    const { body, type, id } = await contentOf(form);
    cancel.onclick = () => abort.abort();
    button.disabled = true;
    cancel.hidden = progress.hidden = false;
    output.value = 'Sending';
    try {
      const onProgress = offset => { progress.value = offset / Math.max(body.size, 1); };
      const answer = await send(url, body, { id, type, signal: abort.signal, onProgress });
      output.value = `${answer.ok ? 'Done' : 'Failed'} (${answer.status})\n${await wordsOf(answer)}`;
    } catch {
      // Nothing but the button ends it: the server can forget what it has.
      await fetch(url, { method: 'DELETE', headers: { 'X-File-Id': id } }).catch(() => {});
      output.value = 'Cancelled';
    } finally {
      button.disabled = false;
      cancel.hidden = progress.hidden = true;
    }
  });
}

for (const form of document.forms) {
  sendInPieces(form);
}

// The form for documents is made by the server, with the token of this visitor.
const place = document.querySelector('[data-form]');
const page = new DOMParser().parseFromString(await (await fetch(place.dataset.form)).text(), 'text/html');
sendInPieces(place.appendChild(document.adoptNode(page.querySelector('form'))));
