"use strict";
const detail = document.getElementById("detail");
const away = document.getElementById("away");
const now = document.getElementById("now");
const rows = new Map();
const arrows = new Map();
document.querySelectorAll("[data-row]").forEach((row) => rows.set(row.dataset.row, row));
document.querySelectorAll("[data-arrow]").forEach((arrow) => arrows.set(arrow.dataset.arrow, arrow));
let chosen = null;

function describe() {
  const row = rows.get(chosen);
  detail.hidden = !row;
  document.querySelectorAll(".arrow.chosen").forEach((arrow) => arrow.classList.remove("chosen"));
  if (!row) return;
  arrows.get(chosen).classList.add("chosen");
  const cells = row.cells;
  detail.className = row.className;
  detail.querySelector("h3").textContent = cells[0].textContent + " → " + cells[1].textContent;
  detail.querySelector(".state").replaceChildren(...[...cells[3].cloneNode(true).childNodes]);
  detail.querySelector(".why").textContent = cells[4].textContent;
  const list = detail.querySelector("ul");
  list.replaceChildren();
  cells[5].innerText.split("\n").concat([]).forEach((text) => {
    if (text.trim()) list.appendChild(document.createElement("li")).textContent = text;
  });
}

function choose(key) {
  chosen = key;
  describe();
}

arrows.forEach((arrow, key) => {
  arrow.addEventListener("click", () => choose(key));
  arrow.addEventListener("mouseenter", () => choose(key));
  arrow.addEventListener("focus", () => choose(key));
});
detail.querySelector("button").addEventListener("click", () => choose(null));
document.addEventListener("keydown", (event) => event.key === "Escape" && choose(null));

function show(key, found) {
  const arrow = arrows.get(key);
  const row = rows.get(key);
  if (!arrow || !row) return;
  const dashed = arrow.classList.contains("dashed");
  arrow.setAttribute("class", "arrow " + found.state + (dashed ? " dashed" : ""));
  arrow.querySelector(".badge text").textContent = found.sign;
  const [source, target] = [row.cells[0].textContent, row.cells[1].textContent];
  const words = source + " to " + target + "\n" + found.state + ": " + found.why;
  arrow.querySelector("title").textContent = words;
  arrow.setAttribute("aria-label", words);
  row.className = found.state;
  row.querySelector(".state b").textContent = found.sign;
  row.querySelector(".state span").textContent = found.state;
  row.querySelector(".why").textContent = found.why;
}

function tell(text) {
  away.hidden = !text;
  away.textContent = text;
}

function follow() {
  const source = new EventSource("events");
  source.addEventListener("arrows", (event) => {
    const news = JSON.parse(event.data);
    tell(news.away);
    Object.entries(news.arrows).forEach(([key, found]) => show(key, found));
    if (!news.away) now.textContent = "live, last change " + new Date().toLocaleTimeString();
    describe();
  });
  source.addEventListener("reload", () => location.reload());
  source.onerror = () => {
    tell("The connection to vrooli is lost; what you see is from before. Trying again.");
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  };
}

if (document.documentElement.dataset.follows === "yes") follow();
