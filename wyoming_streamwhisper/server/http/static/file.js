// The File tab: upload a recording, show its text with times, save it in several formats.

import { clock, find, headers, save } from "./page.js";

let upload = null;
let waiting = 0; // the timer that counts the seconds of listening
let result = null;
let name = "recording";

function begin(file) {
  if (!file || upload) return;
  name = file.name.replace(/\.[^.]*$/, "");
  problem("");
  find("#result").hidden = true;
  const form = new FormData();
  form.append("language", find("#file .language").value);
  form.append("model_size", find("#file .model").value);
  form.append("task", find("#task").value);
  form.append("file", file);
  upload = new XMLHttpRequest();
  upload.open("POST", "transcribe");
  for (const [key, value] of Object.entries(headers)) upload.setRequestHeader(key, value);
  upload.upload.onprogress = ({ loaded, total }) => stage("Sending", loaded / total);
  upload.upload.onload = listening;
  upload.onload = done;
  upload.onerror = () => end("The connection was lost.");
  upload.onabort = () => end("");
  stage("Sending", 0);
  find("#progress").hidden = false;
  find("#drop").hidden = true;
  upload.send(form);
}

// How far the server is, it does not say; how long it has been at it, the page can.
function listening() {
  const begun = performance.now();
  const tell = () => stage(`Listening, ${Math.round((performance.now() - begun) / 1000)} s`);
  tell();
  waiting = setInterval(tell, 1000);
}

function stage(text, share) {
  find("#stage").textContent = text;
  const bar = find("#bar");
  if (share === undefined) bar.removeAttribute("value");
  else bar.value = share;
}

function end(text) {
  upload = null;
  clearInterval(waiting);
  find("#progress").hidden = true;
  find("#drop").hidden = false;
  problem(text);
}

function problem(text) {
  find("#file-problem").textContent = text;
}

function done() {
  const { status, responseText } = upload;
  let body = null;
  try {
    body = JSON.parse(responseText);
  } catch {
    // what is no JSON is no answer of ours
  }
  if (status !== 200 || !body) {
    end(body?.error?.message ?? `The server answered with status ${status}.`);
    return;
  }
  end("");
  show(body);
}

function show(body) {
  result = body;
  const spoken = body.language ? `, language ${body.language}` : "";
  const nothing = body.segments.length ? "" : ": nothing was said";
  find("#summary").textContent = `${name}, ${body.duration.toFixed(1)} s${spoken}${nothing}`;
  find("#segments").replaceChildren(
    ...body.segments.map((segment) => {
      const row = document.createElement("tr");
      for (const [text, style] of [
        [clock(segment.start), "number"],
        [clock(segment.end), "number"],
        [segment.text.trim(), ""],
      ]) {
        const cell = row.insertCell();
        cell.textContent = text;
        cell.className = style;
      }
      return row;
    }),
  );
  find("#result").hidden = false;
  find("#result").focus();
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
