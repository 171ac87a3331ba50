/** Where files come from, besides the buttons: dragged or pasted into an element or the whole page. */
export interface FileTarget {
  readonly isEnabled: boolean;
  showDragOver(isOver: boolean): void;
  accept(data: DataTransfer): void;
}

/** Accepts dropped and pasted files until the signal is aborted. */
export function listen(area: HTMLElement | Document, target: FileTarget, signal: AbortSignal): void {
  let depth = 0;
  const on = <K extends 'dragenter' | 'dragleave' | 'dragover' | 'drop' | 'paste'>(type: K, handler: (event: HTMLElementEventMap[K]) => void): void =>
    area.addEventListener(type, handler as EventListener, { signal });
  const hasFiles = (event: DragEvent): boolean => {
    const isAccepted = target.isEnabled && !!event.dataTransfer?.types.includes('Files');
    if (isAccepted) {
      event.preventDefault();
    }

    return isAccepted;
  };
  const show = (count: number): void => {
    depth = Math.max(0, count);
    target.showDragOver(depth > 0);
  };

  on('dragenter', event => hasFiles(event) && show(depth + 1));
  on('dragleave', () => show(depth - 1));
  on('dragover', event => {
    if (hasFiles(event)) {
      event.dataTransfer!.dropEffect = 'copy';
    }
  });
  on('drop', event => {
    show(0);
    if (hasFiles(event)) {
      target.accept(event.dataTransfer!);
    }
  });
  on('paste', event => {
    const [source] = event.composedPath();
    if (target.isEnabled && event.clipboardData?.files.length && !(source instanceof Element && source.closest('input, textarea, [contenteditable]'))) {
      event.preventDefault();
      target.accept(event.clipboardData);
    }
  });
}
