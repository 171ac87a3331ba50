const byId = id => document.getElementById(id);
const note = byId('note');

async function request(url, options) {
  const response = await fetch(url, options);
  if (response.status === 401) {
    byId('sign-in').hidden = false;
    byId('account').hidden = true;
  }

  if (!response.ok) {
    throw new Error(`The server responded with ${response.status}.`);
  }

  return response;
}

const show = action => async event => {
  event?.preventDefault();
  note.textContent = '';
  try {
    await action();
  } catch (error) {
    note.textContent = error.message;
  }
};

async function refresh() {
  const photos = await (await request('/photos')).json();
  byId('photos').replaceChildren(...photos.map(photo => {
    const item = document.createElement('li');
    item.textContent = `${photo.name}, ${photo.size} bytes, SHA-256 ${photo.digest}`;
    return item;
  }));
  byId('sign-in').hidden = true;
  byId('account').hidden = false;
}

byId('sign-in').onsubmit = show(async () => {
  const name = byId('sign-in').querySelector('input').value;
  await request('/sign-in', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name }) });
  await refresh();
});

byId('create').onclick = show(async () => {
  const ticket = await (await request('/tickets', { method: 'POST' })).json();
  byId('link').href = `/send.html#${ticket.url}`;
  byId('link').hidden = false;
  byId('command').textContent = `curl -H 'X-File-Id: 1' -H 'X-Start-Byte: 0' -H 'Content-Type: image/jpeg' --data-binary @photo.jpg '${new URL(ticket.url, location)}'`;
  byId('command').hidden = false;
});

byId('refresh').onclick = show(refresh);
refresh().catch(() => {}); // not signed in yet
