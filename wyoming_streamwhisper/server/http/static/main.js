// Ties the tabs together and fills in what the server is.

import { find, get } from "./page.js";
import * as live from "./live.js";
import * as file from "./file.js";
import * as satellites from "./satellites.js";

const tabs = [...document.querySelectorAll('[role="tab"]')];

function choose(tab) {
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    find(`#${one.getAttribute("aria-controls")}`).hidden = !chosen;
  }
  history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
}

function move(event) {
  const at = tabs.indexOf(event.target);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = tabs.at(to % tabs.length);
  choose(next);
  next.focus();
}

for (const tab of tabs) {
  tab.onclick = () => choose(tab);
  tab.onkeydown = move;
}
const wanted = tabs.find((tab) => `#${tab.getAttribute("aria-controls")}` === location.hash);
if (wanted) choose(wanted);

async function describe() {
  const info = await (await get("info")).json();
  const spoken = new Intl.DisplayNames([navigator.language, "en"], { type: "language" });
  for (const select of document.querySelectorAll(".language")) {
    select.append(new Option("detect", ""));
    for (const code of info.languages) select.append(new Option(spoken.of(code) ?? code, code));
  }
  for (const select of document.querySelectorAll(".model")) {
    const profiles = info.profiles.length > 1 ? info.profiles : [];
    for (const name of new Set([info.model, ...profiles])) select.append(new Option(name, name));
  }
  find("#version").textContent = `version ${info.version}, ${info.model} (${info.running})`;
}

live.prepare();
file.prepare();
satellites.prepare();
// Why the server does not answer, the status says.
describe().catch(() => {});
