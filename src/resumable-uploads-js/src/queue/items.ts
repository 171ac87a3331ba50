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
      await addItem(item, '', files);
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
    const item = await handle ?? entry;
    if (item) {
      await addItem(item, '', files);
    } else if (file) {
      files.push({ file, relativePath: file.name });
    }
  }

  return files;
}

/** Adds the file of an item, or the files in its folder. One that cannot be opened becomes a placeholder whose upload fails, and the others are added. */
async function addItem(item: FileSystemHandle | FileSystemEntry, folder: string, files: FileItem[]): Promise<void> {
  const { name } = item;
  const relativePath = folder + name;
  const addChild = (child: FileSystemHandle | FileSystemEntry): Promise<void> => addItem(child, relativePath + '/', files);
  try {
    if ((item as FileSystemHandle).kind === 'file') {
      files.push({ file: await (item as FileSystemFileHandle).getFile(), relativePath, handle: item as FileSystemFileHandle });
    } else if ('kind' in item) {
      for await (const child of (item as FileSystemDirectoryHandle).values()) {
        await addChild(child);
      }
    } else if (item.isFile) {
      files.push({ file: await new Promise<File>((resolve, reject) => (item as FileSystemFileEntry).file(resolve, reject)), relativePath });
    } else {
      const reader = (item as FileSystemDirectoryEntry).createReader();
      // Entries are read in batches. An empty batch is the last.
      for (let batch; (batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))).length;) {
        for (const child of batch) {
          await addChild(child);
        }
      }
    }
  } catch {
    const slice = (): Blob => {
      throw fail('file-unreadable');
    };
    files.push({ file: Object.assign(new File([], name), { slice }), relativePath });
  }
}
