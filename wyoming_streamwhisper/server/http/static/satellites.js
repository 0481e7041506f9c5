// The Satellites tab: who speaks now, fed by the server's events.

import { askToken, find, get, lineIn, NoEntry } from "./page.js";

const MOST = 50; // rows; the one silent for longest leaves first
const PAUSE = 2000; // milliseconds between two tries to connect
const rows = new Map();

function row(name) {
  const found = rows.get(name) ?? make(name);
  // The newest stands first in the table, and last in the map.
  rows.delete(name);
  rows.set(name, found);
  if (find("#seats").firstChild !== found.element) find("#seats").prepend(found.element);
  if (rows.size > MOST) {
    const [oldest, { element }] = rows.entries().next().value;
    rows.delete(oldest);
    element.remove();
  }
  find("#nobody").hidden = true;
  find("#seen").hidden = false;
  return found;
}

function make(name) {
  const element = document.createElement("tr");
  const heading = document.createElement("th");
  heading.scope = "row";
  heading.textContent = name;
  element.append(heading);
  const [text, speech, delay] = ["", "number", "number"].map((style) => {
    const cell = element.insertCell();
    cell.className = style;
    return cell;
  });
  return { element, set: lineIn(text), speech, delay };
}

function show(event) {
  const { element, set, speech, delay } = row(event.satellite);
  const over = ["final", "failed", "gone"].includes(event.type);
  element.classList.toggle("speaking", !over);
  if (event.type === "begun") {
    set("", "");
    delay.textContent = "";
  } else if (event.type === "failed") {
    set("", event.code);
  } else if (event.text !== undefined) {
    set(event.text, event.tail ?? "");
  }
  speech.textContent = `${event.seconds.toFixed(1)} s`;
  if (event.delay !== undefined) delay.textContent = `${Math.round(event.delay * 1000)} ms`;
}

// What is left out under load, in words that people know.
const RUNGS = {
  all: "normal",
  "longer-step": "words come less often",
  "no-partials": "final texts only",
  "no-speculation": "final texts only, later",
  refusing: "too much, nobody new",
};

function showLoad({ ready, speaking, most, rung }) {
  find("#status").textContent = ready ? "connected" : "the model is loading";
  find("#speaking").value = most === null ? speaking : `${speaking} of ${most} possible`;
  find("#load").value = RUNGS[rung] ?? rung;
}

// EventSource cannot show a token, so the events are read from a plain answer.
async function follow() {
  const { body } = await get("events");
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const [kind, data] = event.split("\n").map((line) => line.replace(/^\w+: /, ""));
      (kind === "load" ? showLoad : show)(JSON.parse(data));
    }
  }
}

export async function prepare() {
  for (;;) {
    try {
      await follow();
    } catch (error) {
      if (error instanceof NoEntry) {
        find("#status").textContent = error.message;
        askToken();
        return;
      }
    }
    find("#status").textContent = "not connected; trying again …";
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
