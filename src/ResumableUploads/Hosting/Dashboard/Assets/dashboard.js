// Updates the numbers and the rows of the page, and confirms actions that remove content.
"use strict";

const live = document.getElementById("live");
const added = document.getElementById("added");
const samples = new Map();
const rateSeconds = 10;

function setText(element, text) {
  if (element && element.textContent !== text) {
    element.textContent = text;
  }
}

// The mean rate of the last seconds, because durable bytes arrive in steps.
function formatRate(id, offset) {
  const now = performance.now() / 1000;
  const known = (samples.get(id) ?? []).filter((sample) => now - sample.time < rateSeconds && sample.offset <= offset);
  known.push({ time: now, offset });
  samples.set(id, known);
  const seconds = now - known[0].time;
  const rate = seconds > 0 ? (offset - known[0].offset) / seconds : 0;
  return rate > 0 ? `${(rate / 2 ** 20).toFixed(2)} MiB/s` : "";
}

// An action is refused if the state is not the one that the page has shown.
function setState(row, state, reason) {
  const element = row.querySelector("[data-state]");
  row.dataset.shownState ??= element.textContent;
  setText(element, state);
  setText(row.querySelector("[data-reason]"), reason);
  for (const button of row.querySelectorAll("button")) {
    button.disabled = state !== row.dataset.shownState;
  }
}

function updateRow(row, { id, offset, progress, state, reason }) {
  setState(row, state, reason);
  setText(row.querySelector("[data-progress]"), progress);
  setText(row.querySelector("[data-rate]"), formatRate(id, offset));
  const bar = row.querySelector("progress");
  if (bar) {
    bar.value = offset;
  }
}

// Rows are not inserted, so that none moves while an operator clicks.
function showAdded(count) {
  let link = added.querySelector("a");
  if (!link) {
    link = document.createElement("a");
    link.href = added.dataset.page;
    added.replaceChildren(link);
  }
  // One element, so that it keeps the focus.
  link.hidden = count === 0;
  setText(link, count === 1 ? "The list has 1 other upload now. Show it" : `The list has ${count} other uploads now. Show them`);
}

function update({ numbers, refusals, uploads, isListLive }) {
  for (const element of document.querySelectorAll("[data-number]")) {
    setText(element, numbers[element.dataset.number] ?? "");
  }
  const items = Object.entries(refusals).sort((a, b) => b[1] - a[1]).map(([problem, count]) => {
    const item = document.createElement("li");
    item.textContent = `${problem}: ${count}`;
    return item;
  });
  document.getElementById("refusals").replaceChildren(...items);
  setText(live, !isListLive ? "Live, except the list of a search" : uploads ? "Live" : "The store failed. The list is not current.");
  if (!uploads) {
    return;
  }
  const byId = new Map(uploads.map((upload) => [upload.id, upload]));
  const rows = [...document.querySelectorAll("[data-upload]")];
  const shown = new Set(rows.map((row) => row.dataset.upload));
  showAdded(uploads.filter((upload) => !shown.has(upload.id)).length);
  for (const row of rows) {
    const upload = byId.get(row.dataset.upload);
    if (upload) {
      updateRow(row, upload);
    } else {
      setState(row, "Changed", "No longer on this page. Reload it.");
    }
  }
}

// Screen readers announce changes of a status, and not the text with which the page was loaded.
const result = document.getElementById("result");
if (result) {
  const text = result.textContent;
  result.textContent = "";
  setTimeout(() => setText(result, text), 100);
}

const source = new EventSource(document.body.dataset.events);
source.addEventListener("open", () => setText(live, "Live"));
source.addEventListener("message", ({ data }) => update(JSON.parse(data)));
source.addEventListener("error", () =>
  setText(live, source.readyState === EventSource.CLOSED ? "Not live. Reload the page to update it." : "Connecting"));

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !confirm(question)) {
    event.preventDefault();
  }
});
