/** An element that accepts files that are dragged or pasted into it, or anywhere into the page. */
export interface FileTarget {
  _isDisabled(): boolean;
  _showDragOver(isOver: boolean): void;
  _accept(data: DataTransfer): unknown;
}

/** Accepts dropped and pasted files until the signal is aborted. */
export function listen(area: HTMLElement | Document, target: FileTarget, signal: AbortSignal): void {
  const onDrag = (event: DragEvent): void => {
    const { type, dataTransfer, relatedTarget } = event;
    if (dataTransfer!.types.includes('Files') && !target._isDisabled()) {
      event.preventDefault();
      target._showDragOver(type === 'dragover' || (type === 'dragleave' && area.contains(relatedTarget as Node)));
      if (type === 'drop') {
        target._accept(dataTransfer!);
      }
    }
  };
  for (const type of ['dragover', 'dragleave', 'drop']) {
    area.addEventListener(type, onDrag as EventListener, { signal });
  }

  area.addEventListener('paste', (event: Event) => {
    const { clipboardData } = event as ClipboardEvent;
    if (clipboardData?.files.length && !target._isDisabled() && !(event.composedPath()[0] as Element).closest?.('input, textarea, [contenteditable]')) {
      event.preventDefault();
      target._accept(clipboardData);
    }
  }, { signal });
}
