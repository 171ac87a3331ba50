/**
 * The files of a drop, with those in dropped folders.
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
export async function droppedFiles(transfer) {
  // The items are gone as soon as the event is over.
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  return entries.length === 0 ? [...transfer.files] : (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry) {
  try {
    if (entry.isFile) {
      return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    }

    const reader = entry.createReader();
    const found = [];
    for (;;) {
      // A reader gives its entries in batches, and an empty one at the end.
      const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (batch.length === 0) {
        return found;
      }

      found.push(...(await Promise.all(batch.map(filesOf))).flat());
    }
  } catch {
    return [];
  }
}
