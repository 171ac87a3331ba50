import { droppedFiles } from './dropped-files.js';

/**
 * Makes the whole page a drop target for files.
 * @param {HTMLElement} overlay the element to show while files are dragged over the page
 * @param {(files: File[]) => void} onDrop
 */
export function acceptDroppedFiles(overlay, onDrop) {
  const setVisible = visible => overlay.classList.toggle('visible', visible);
  addEventListener('dragover', event => {
    if (event.dataTransfer?.types.includes('Files')) {
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      setVisible(true);
    }
  });
  addEventListener('dragleave', event => {
    if (event.relatedTarget === null) {
      setVisible(false);
    }
  });
  addEventListener('drop', async event => {
    setVisible(false);
    if (event.dataTransfer?.types.includes('Files')) {
      event.preventDefault();
      onDrop(await droppedFiles(event.dataTransfer));
    }
  });
}
