// The File tab: upload a recording, show its text with times, save it in several formats.

import { clock, find, headers, save, say } from "./page.js";

let upload = null;
let result = null;
let name = "recording";

function begin(file) {
  if (!file || upload) return;
  name = file.name.replace(/\.[^.]*$/, "");
  problem("");
  clear();
  const form = new FormData();
  form.append("language", find("#file .language").value);
  form.append("model_size", find("#file .model").value);
  form.append("task", find("#task").value);
  form.append("stream", "true");
  form.append("file", file);
  // Of fetch, browsers do not tell how much of the body was sent.
  upload = new XMLHttpRequest();
  upload.open("POST", "transcribe");
  for (const [key, value] of Object.entries(headers)) upload.setRequestHeader(key, value);
  upload.upload.onprogress = ({ loaded, total }) => stage("Sending", loaded / total);
  upload.upload.onload = () => stage("Listening");
  const events = reader(upload);
  upload.onprogress = events;
  upload.onload = () => {
    events();
    ended();
  };
  upload.onerror = () => end("The connection was lost.");
  upload.onabort = () => end("");
  stage("Sending", 0);
  find("#progress").hidden = false;
  find("#drop").hidden = true;
  upload.send(form);
}

// Returns what takes the events that have come since it was called last.
function reader(request) {
  let read = 0;
  return () => {
    if (request.status !== 200) return;
    const whole = request.responseText.lastIndexOf("\n\n");
    if (whole < read) return;
    const events = request.responseText.slice(read, whole).split("\n\n");
    read = whole + 2;
    for (const event of events) take(JSON.parse(event.replace("data: ", "")));
  };
}

function take(event) {
  if (event.error) {
    problem(event.error.message);
  } else if (event.type === "segment") {
    show(event);
    if (event.duration) stage("Listening", event.done / event.duration);
  } else {
    result = event;
  }
}

function ended() {
  const { status, responseText } = upload;
  if (status !== 200) {
    end(reason(responseText) ?? `The server answered with status ${status}.`);
  } else if (result) {
    end("");
    summarize();
  } else {
    end(find("#file-problem").textContent || "The connection was lost.");
  }
}

function reason(text) {
  try {
    return JSON.parse(text).error.message;
  } catch {
    return undefined; // what is no JSON is no answer of ours
  }
}

function stage(text, share) {
  const bar = find("#bar");
  if (share === undefined) bar.removeAttribute("value");
  else bar.value = share;
  // Beside what is announced: nobody wants to hear a hundred numbers.
  find("#share").textContent = share === undefined ? "" : `${Math.floor(100 * share)} %`;
  say("#stage", text);
}

function end(text) {
  upload = null;
  find("#progress").hidden = true;
  find("#drop").hidden = false;
  problem(text);
}

function problem(text) {
  find("#file-problem").textContent = text && text[0].toUpperCase() + text.slice(1);
}

function clear() {
  result = null;
  find("#segments").replaceChildren();
  find("#result").hidden = find("#formats").hidden = true;
  find("#summary").textContent = name;
}

function show(segment) {
  const row = find("#segments").insertRow();
  for (const [text, style] of [
    [brief(segment.start), "number"],
    [brief(segment.end), "number"],
    [segment.text.trim(), ""],
  ]) {
    const cell = row.insertCell();
    cell.textContent = text;
    cell.className = style;
  }
  find("#result").hidden = false;
}

// A time to be read: 0:07.3, or 1:02:07.3.
function brief(seconds) {
  return clock(seconds).slice(0, -2).replace(/^00:0?/, "");
}

function summarize() {
  const spoken = result.language ? `, language ${result.language}` : "";
  const nothing = result.segments.length ? "" : ": nothing was said";
  find("#summary").textContent = `${name}, ${result.duration.toFixed(1)} s${spoken}${nothing}`;
  find("#result").hidden = find("#formats").hidden = false;
}

const FORMATS = {
  txt: () => result.segments.map((one) => one.text.trim()).join("\n") + "\n",
  srt: () =>
    result.segments
      .map((one, i) => `${i + 1}\n${clock(one.start, ",")} --> ${clock(one.end, ",")}\n${one.text.trim()}\n`)
      .join("\n"),
  vtt: () =>
    "WEBVTT\n\n" +
    result.segments
      .map((one) => `${clock(one.start)} --> ${clock(one.end)}\n${one.text.trim()}\n`)
      .join("\n"),
  json: () => JSON.stringify(result, null, 1) + "\n",
};

export function prepare() {
  find("#chosen").onchange = ({ target }) => {
    begin(target.files[0]);
    target.value = "";
  };
  find("#cancel").onclick = () => upload?.abort();
  const drop = find("#drop");
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    begin(event.dataTransfer.files[0]);
  });
  for (const button of document.querySelectorAll("[data-format]")) {
    const format = button.dataset.format;
    button.onclick = () => save(`${name}.${format}`, FORMATS[format]());
  }
}
