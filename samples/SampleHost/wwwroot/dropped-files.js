/**
 * Returns the dropped files, including those in dropped folders.
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
export async function droppedFiles(transfer) {
  // The items are only available synchronously, during the event.
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  return entries.length === 0 ? [...transfer.files] : (await Promise.all(entries.map(readEntry))).flat();
}

async function readEntry(entry) {
  try {
    if (entry.isFile) {
      return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    }

    const reader = entry.createReader();
    const files = [];
    for (;;) {
      // readEntries returns batches; an empty batch is the last.
      const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (batch.length === 0) {
        return files;
      }

      files.push(...(await Promise.all(batch.map(readEntry))).flat());
    }
  } catch {
    return [];
  }
}
