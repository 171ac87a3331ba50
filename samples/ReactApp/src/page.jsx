import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Documents } from './Documents.jsx';

createRoot(document.getElementById('root')).render(<StrictMode><Documents /></StrictMode>);
