import { fail } from '../core/errors.js';
import type { QueueItem } from './types.js';

/** A file with the path that is part of its id. */
export interface FileItem {
  file: File;
  relativePath: string;
  handle?: FileSystemFileHandle;
}

/** Returns the files of items, including those in folders. */
export async function getFiles(items: Iterable<QueueItem>): Promise<FileItem[]> {
  const files: FileItem[] = [];
  for (const item of items) {
    if ('kind' in item) {
      await addHandle(item, '', files);
    } else {
      const { file, relativePath, handle } = 'file' in item ? item : { file: item } as { file: File; relativePath?: string; handle?: FileSystemFileHandle };
      files.push({ file, relativePath: relativePath ?? (file.webkitRelativePath || file.name), handle });
    }
  }

  return files;
}

/** Returns the dropped or pasted files, including those in folders, with handles if the browser has them. */
export async function getTransferredFiles(data: DataTransfer): Promise<FileItem[]> {
  const files: FileItem[] = [];
  // The items are available only during the event, so that all are read before the first await.
  const items = Array.from(data.items, item => ({
    handle: (item as { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> }).getAsFileSystemHandle?.().catch(() => null),
    entry: item.webkitGetAsEntry?.(),
    file: item.getAsFile(),
  }));
  for (const { handle, entry, file } of items) {
    const opened = await handle;
    if (opened) {
      await addHandle(opened, '', files);
    } else if (entry) {
      await addEntry(entry, files);
    } else if (file) {
      files.push({ file, relativePath: file.name });
    }
  }

  return files;
}

async function addHandle(handle: FileSystemHandle, folder: string, files: FileItem[]): Promise<void> {
  const { name } = handle;
  const relativePath = folder + name;
  try {
    if (handle.kind === 'file') {
      files.push({ file: await (handle as FileSystemFileHandle).getFile(), relativePath, handle: handle as FileSystemFileHandle });
    } else {
      for await (const child of (handle as FileSystemDirectoryHandle).values()) {
        await addHandle(child, relativePath + '/', files);
      }
    }
  } catch {
    addUnreadable(name, relativePath, files);
  }
}

async function addEntry(entry: FileSystemEntry, files: FileItem[]): Promise<void> {
  const relativePath = entry.fullPath.slice(1);
  try {
    if (entry.isFile) {
      files.push({ file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)), relativePath });
      return;
    }

    const reader = (entry as FileSystemDirectoryEntry).createReader();
    const readBatch = () => new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    // Entries are read in batches. An empty batch is the last.
    for (let batch; (batch = await readBatch()).length;) {
      for (const child of batch) {
        await addEntry(child, files);
      }
    }
  } catch {
    addUnreadable(entry.name, relativePath, files);
  }
}

/** Adds a placeholder for a file or folder that cannot be opened, so that the others are uploaded and this one fails visibly. */
function addUnreadable(name: string, relativePath: string, files: FileItem[]): void {
  const slice = (): Blob => {
    throw fail('file-unreadable');
  };
  files.push({ file: Object.assign(new File([], name), { slice }), relativePath });
}
