import { useState } from 'react';

/** The options of the element do not change between renderings, so they are created once. */
const options = { concurrency: 2 };

/** A form with files. The files are uploaded before the form is sent, which contains their ids. */
export function Documents() {
  const [ids, setIds] = useState([]);
  const [result, setResult] = useState('');

  // React resets the form afterwards, which empties the element.
  async function save(form) {
    const response = await fetch('/documents', { method: 'POST', body: form });
    setResult(response.ok ? `Saved ${form.get('title')} with ${form.getAll('files').length} files.` : await response.text());
  }

  return (
    <form action={save}>
      <h1>Documents</h1>
      <label>Title <input name="title" required /></label>
      <resumable-upload url="/upload" name="files" max-files="3" required options={options} onchange={event => setIds(event.target.value)} />
      <button>Save {ids.length} files</button>
      <output>{result}</output>
    </form>
  );
}
