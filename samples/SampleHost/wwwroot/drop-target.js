import { droppedFiles } from './dropped-files.js';

/**
 * Makes the whole page take files that are dropped on it.
 * @param {HTMLElement} curtain what is shown while files are above the page
 * @param {(files: File[]) => void} take
 */
export function takeDrops(curtain, take) {
  const show = shown => curtain.classList.toggle('shown', shown);
  addEventListener('dragover', event => {
    if (event.dataTransfer?.types.includes('Files')) {
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      show(true);
    }
  });
  addEventListener('dragleave', event => {
    if (event.relatedTarget === null) {
      show(false);
    }
  });
  addEventListener('drop', async event => {
    show(false);
    if (event.dataTransfer?.types.includes('Files')) {
      event.preventDefault();
      take(await droppedFiles(event.dataTransfer));
    }
  });
}
