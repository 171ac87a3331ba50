import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

// The page of docs/clients/element.md, with the element from a script of the server.
function Documents() {
  const [ids, setIds] = useState([]);
  return (
    <form>
      <resumable-upload url="/upload" name="files" max-files="3" options={{ concurrency: 2 }} onchange={event => setIds(event.target.value)} />
      <output>{ids.length} uploaded</output>
    </form>
  );
}

createRoot(document.getElementById('root')).render(<StrictMode><Documents /></StrictMode>);
