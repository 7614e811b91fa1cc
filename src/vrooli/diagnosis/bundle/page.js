
"use strict";
const at = (id) => document.getElementById(id);
const MOST = 3000;

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const code = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = document.execCommand("copy") ? "copied" : "selected";
    }
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
}

function filterObjects() {
  const words = at("object-filter").value.toLowerCase();
  const unhealthyOnly = at("object-unhealthy").checked;
  let shown = 0;
  for (const row of at("object-rows").rows) {
    const fits = row.textContent.toLowerCase().includes(words) && (!unhealthyOnly || row.className === "unhealthy");
    row.hidden = !fits;
    shown += fits;
  }
  at("object-count").textContent = `${shown} objects`;
}

function filterEvents() {
  for (const item of at("event-rows").children) {
    item.hidden = at("event-warnings").checked && item.className !== "warning";
  }
}

const logs = JSON.parse(at("log-data").textContent);
const allLogs = "All logs";

function chooseLogs() {
  const names = Object.keys(logs);
  const total = names.reduce((sum, name) => sum + logs[name].length, 0);
  for (const name of [allLogs, ...names]) {
    const option = document.createElement("option");
    option.value = name;
    option.textContent = `${name} (${name === allLogs ? total : logs[name].length} lines)`;
    at("log-source").append(option);
  }
}

function lineOf(from, line, words) {
  const row = document.createElement("span");
  if (from) {
    const whose = document.createElement("span");
    whose.className = "from";
    whose.textContent = `${from}  `;
    row.append(whose);
  }
  const found = words ? line.toLowerCase().indexOf(words) : -1;
  if (found < 0) {
    row.append(line);
  } else {
    const mark = document.createElement("mark");
    mark.textContent = line.slice(found, found + words.length);
    row.append(line.slice(0, found), mark, line.slice(found + words.length));
  }
  row.append("\n");
  return row;
}

function showLogs() {
  const source = at("log-source").value;
  const words = at("log-filter").value.toLowerCase();
  const rows = document.createDocumentFragment();
  let shown = 0;
  let fitting = 0;
  for (const name of source === allLogs ? Object.keys(logs) : [source]) {
    for (const line of logs[name] || []) {
      if (!line.toLowerCase().includes(words)) continue;
      fitting += 1;
      if (shown >= MOST) continue;
      shown += 1;
      rows.append(lineOf(source === allLogs ? name : "", line, words));
    }
  }
  at("log-lines").replaceChildren(rows);
  at("log-count").textContent =
    fitting > shown ? `first ${shown} of ${fitting} lines` : `${fitting} lines`;
}

let waiting;
at("object-filter").addEventListener("input", filterObjects);
at("object-unhealthy").addEventListener("change", filterObjects);
at("event-warnings").addEventListener("change", filterEvents);
at("log-source").addEventListener("change", showLogs);
at("log-filter").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(showLogs, 120);
});
chooseLogs();
filterObjects();
showLogs();
