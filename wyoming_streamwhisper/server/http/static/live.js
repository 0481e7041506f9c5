// The Live tab: microphone to /stream, words back as they come.

import { find, lineIn, openSocket, save } from "./page.js";

const HIGHEST = 48000; // the highest rate that the server takes, in Hz
const SILENCE = 0.7; // seconds that end a sentence and begin a new line
const KEPT = 60; // seconds of sound kept, to be sent again after a broken connection
const PATIENCE = 30000; // milliseconds for which the server keeps what a broken connection left
const PAUSE = 1000; // milliseconds between two tries to come back
const LAST = 10000; // milliseconds in which the last text must come

const said = find("#said");
let running = null;

class Listener {
  constructor(context, media) {
    this.context = context;
    this.media = media;
    this.session = "";
    this.seq = 0;
    this.sent = 0; // bytes in all
    this.kept = []; // { first byte, data, when it was recorded }
    this.lines = new Map(); // of each turn: its element, how to write it, when speech began
    this.lost = 0; // when the connection broke
    this.ready = this.stopping = this.over = false;
    this.connect();
  }

  connect() {
    this.socket = openSocket("stream");
    this.socket.onopen = () => this.socket.send(JSON.stringify(this.greeting()));
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.socket.onclose = ({ code }) => this.closed(code);
  }

  greeting() {
    if (this.session) return { session_id: this.session, last_seq: this.seq };
    return {
      language: find("#live .language").value,
      model_size: find("#live .model").value,
      sample_rate: this.context.sampleRate,
      end_silence: SILENCE,
    };
  }

  take(message) {
    if (message.seq) this.seq = message.seq;
    switch (message.type) {
      case "ready":
      case "resumed":
        this.session = message.session_id;
        this.goOn(message.received);
        break;
      case "speech":
        this.line(message.turn).began = message.start;
        break;
      case "partial":
        this.write(message.turn, message.text, message.tail);
        break;
      case "final":
        this.write(message.turn, message.text, "");
        if (message.text) {
          tell("#last", this.since(message.end));
          // Who listens to the page hears whole sentences, not each word as it changes.
          find("#spoken").textContent = message.text;
        }
        // One that was on its way when we said stop is not the last.
        if (this.stopping && message.asked) this.finish();
        break;
      case "error":
        problem(message.message);
        if (!message.turn || message.asked) this.finish();
        break;
    }
  }

  // The server has so many bytes; what it lacks is sent again.
  goOn(received) {
    this.ready = true;
    this.lost = 0;
    problem("");
    for (const { first, data } of this.kept) if (first >= received) this.socket.send(data);
    if (this.stopping) this.socket.send('{"type":"stop"}');
  }

  seconds(bytes) {
    return bytes / 2 / this.context.sampleRate;
  }

  // Seconds from when that second of sound was recorded to now, NaN where it is not known.
  since(second) {
    const block = this.kept.find(({ first, data }) => this.seconds(first + data.byteLength) >= second);
    return block ? (performance.now() - block.when) / 1000 : NaN;
  }

  hear(block) {
    const data = block.buffer;
    this.kept.push({ first: this.sent, data, when: performance.now() });
    this.sent += data.byteLength;
    while (this.seconds(this.sent - this.kept[0].first) > KEPT) this.kept.shift();
    if (this.ready) this.socket.send(data);
    showLevel(block);
  }

  line(turn) {
    if (!this.lines.has(turn)) {
      const element = document.createElement("p");
      this.lines.set(turn, { element, set: lineIn(element), began: NaN });
    }
    return this.lines.get(turn);
  }

  write(turn, text, tail) {
    const line = this.line(turn);
    line.set(text, tail);
    if (!text && !tail) {
      line.element.remove();
    } else if (!line.element.isConnected) {
      find("#said .hint")?.remove();
      said.append(line.element);
      tell("#first", this.since(line.began));
    }
    said.scrollTop = said.scrollHeight;
    enable();
  }

  closed(code) {
    this.ready = false;
    if (this.over) return;
    this.lost ||= performance.now();
    const refused = !this.session || [1008, 1009, 1013, 4001].includes(code);
    if (refused || performance.now() - this.lost > PATIENCE) {
      if (!find("#live-problem").textContent || !refused) problem("The connection was lost.");
      this.finish();
      return;
    }
    problem("The connection was lost; trying again …");
    setTimeout(() => this.over || this.connect(), PAUSE);
  }

  stop() {
    this.stopping = true;
    this.mute();
    if (this.ready) this.socket.send('{"type":"stop"}');
    setTimeout(() => this.finish(), LAST);
  }

  mute() {
    for (const track of this.media.getTracks()) track.stop();
    find("#level").value = -60;
  }

  finish() {
    if (this.over) return;
    this.over = true;
    this.mute();
    this.context.close();
    this.socket.close(1000);
    running = null;
    button(false);
  }
}

function showLevel(block) {
  let sum = 0;
  for (const sample of block) sum += sample * sample;
  find("#level").value = 10 * Math.log10(sum / block.length / 32768 ** 2 + 1e-9);
}

function tell(selector, seconds) {
  if (seconds >= 0) find(selector).value = `${seconds.toFixed(2)} s`;
}

function problem(text) {
  find("#live-problem").textContent = text && text[0].toUpperCase() + text.slice(1);
}

function button(on) {
  const listen = find("#listen");
  listen.textContent = on ? "Stop" : "Start";
  for (const select of document.querySelectorAll("#live select")) select.disabled = on;
}

// Sound as it is: what cleans it for people's ears takes away what a model hears.
async function openMicrophone() {
  const wanted = { echoCancellation: false, noiseSuppression: false, autoGainControl: true };
  const media = await navigator.mediaDevices.getUserMedia({ audio: wanted });
  let context = new AudioContext();
  if (context.sampleRate > HIGHEST) {
    await context.close();
    context = new AudioContext({ sampleRate: HIGHEST });
  }
  await context.audioWorklet.addModule("static/worklet.js");
  const recorder = new AudioWorkletNode(context, "recorder", {
    numberOfOutputs: 0,
    channelCount: 1,
    channelCountMode: "explicit",
  });
  recorder.port.onmessage = ({ data }) => running && !running.stopping && running.hear(data);
  context.createMediaStreamSource(media).connect(recorder);
  await context.resume();
  return [context, media];
}

async function start() {
  problem("");
  if (!navigator.mediaDevices) {
    problem("Browsers give the microphone only to pages of this machine (localhost) or behind HTTPS.");
    return;
  }
  find("#listen").disabled = true;
  let opened = [];
  try {
    opened = await openMicrophone();
    running = new Listener(...opened);
    button(true);
  } catch (error) {
    problem(`It cannot listen: ${error.message}`);
    const [context, media] = opened;
    media?.getTracks().forEach((track) => track.stop());
    context?.close();
  } finally {
    find("#listen").disabled = false;
  }
}

const lines = () =>
  [...said.querySelectorAll("p:not(.hint)")].map((line) => line.firstChild.textContent).join("\n");

function enable() {
  for (const id of ["#copy", "#download", "#clear"]) find(id).disabled = !lines();
}

async function copy() {
  try {
    await navigator.clipboard.writeText(lines());
    find("#copy").textContent = "Copied";
    setTimeout(() => (find("#copy").textContent = "Copy"), 1500);
  } catch {
    problem("This browser does not let the page copy.");
  }
}

export function prepare() {
  find("#listen").onclick = () => (running ? running.stop() : start());
  find("#copy").onclick = copy;
  find("#download").onclick = () => save("transcript.txt", `${lines()}\n`);
  find("#clear").onclick = () => {
    for (const line of said.querySelectorAll("p:not(.hint)")) line.remove();
    enable();
  };
}
