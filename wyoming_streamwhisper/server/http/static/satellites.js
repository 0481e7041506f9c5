// The Satellites tab: who speaks now, fed by the server's events.

import { askToken, find, get, lineIn, NoEntry, say } from "./page.js";

const MOST = 50; // rows; the one silent for longest leaves first
const PAUSE = 2000; // milliseconds between two tries to connect
const rows = new Map();

function row(key, name) {
  const found = rows.get(key) ?? make(name);
  // The newest stands first in the table, and last in the map.
  rows.delete(key);
  rows.set(key, found);
  if (find("#seats").firstChild !== found.element) find("#seats").prepend(found.element);
  if (rows.size > MOST) remove(rows.keys().next().value);
  find("#nobody").hidden = true;
  find("#seen").hidden = false;
  return found;
}

function remove(key) {
  rows.get(key).element.remove();
  rows.delete(key);
}

function make(name) {
  const element = document.createElement("tr");
  const heading = document.createElement("th");
  heading.scope = "row";
  heading.textContent = name;
  element.append(heading);
  const [text, lasted, delay] = ["", "lasted", "answer after"].map((of) => {
    const cell = element.insertCell();
    cell.className = of && "number";
    cell.dataset.of = of;
    return cell;
  });
  return { element, text, lasted, delay, set: lineIn(text) };
}

function show(event) {
  // Who gave no name gets a new one each time: the utterance's.
  const named = event.satellite !== event.utterance;
  const { element, text, lasted, delay, set } = row(
    event.satellite,
    named ? event.satellite : "somebody",
  );
  const over = ["final", "failed", "gone"].includes(event.type);
  element.dataset.state = over ? "" : event.type === "begun" ? "listening" : "speaking";
  // The last text stands until there is another one.
  if (event.text || event.tail) {
    set(event.text, event.tail ?? "");
    lasted.textContent = `${event.seconds.toFixed(1)} s`;
    delay.textContent = event.delay === undefined ? "" : `${Math.round(event.delay * 1000)} ms`;
  } else if (event.type === "failed") {
    set("", event.code);
  }
  if (over && !named && !text.textContent) remove(event.satellite);
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
  say("#status", ready ? "connected" : "the model is loading");
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
        say("#status", error.message);
        askToken();
        return;
      }
    }
    say("#status", "not connected; trying again …");
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
