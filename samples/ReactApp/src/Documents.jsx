import { useState } from 'react';

/** The options of the element do not change between renderings, so they are created once. */
const options = { concurrency: 2 };

/** A form with files. The files are uploaded before the form is sent, which contains their ids. */
export function Documents() {
  const [ids, setIds] = useState([]);
  const [result, setResult] = useState('');

  // An `action` would reset the form, and empty the element, also if the server refuses the form.
  async function save(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const response = await fetch('/documents', { method: 'POST', body: data });
    if (response.ok) {
      setResult(`Saved ${data.get('title')} with ${data.getAll('files').length} files.`);
      form.reset();
    } else {
      setResult(await response.text());
    }
  }

  return (
    <form onSubmit={save}>
      <h1>Documents</h1>
      <label>Title <input name="title" required /></label>
      <resumable-upload url="/upload" name="files" max-files="3" required options={options} onchange={event => setIds(event.target.value)} />
      <button>Save {ids.length} files</button>
      <output>{result}</output>
    </form>
  );
}
