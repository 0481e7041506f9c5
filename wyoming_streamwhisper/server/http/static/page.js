// What all tabs share: finding elements, asking the server, saving a file.

export const find = (selector) => document.querySelector(selector);

// Access is by token where the operator wants one: page?token=… keeps it for this tab only.
const given = new URLSearchParams(location.search).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname + location.hash);
}
const token = sessionStorage.getItem("token") || "";
export const headers = token ? { Authorization: `Bearer ${token}` } : {};

export class NoEntry extends Error {}

// A browser sets no headers for a WebSocket; the token goes beside the name of the protocol.
export function openSocket(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url, token ? ["streamwhisper", `openai-insecure-api-key.${token}`] : []);
}

export async function get(path) {
  const response = await fetch(path, { headers });
  if (response.status === 401) throw new NoEntry("a token is needed");
  if (!response.ok) throw new Error(`the server answered with status ${response.status}`);
  return response;
}

export function askToken() {
  find("#entry").hidden = false;
  // Without one nothing else can be done here.
  find("main").hidden = find('[role="tablist"]').hidden = true;
  find("#token").focus();
  find("#entry").onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem("token", find("#token").value);
    location.reload();
  };
}

// Changes a text that is announced only if it is another one.
export function say(selector, text) {
  if (find(selector).textContent !== text) find(selector).textContent = text;
}

export function save(name, text, type = "text/plain") {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// A line of text: what stays, and behind it, pale, what may still change.
export function lineIn(parent) {
  parent.append(document.createElement("span"), document.createElement("span"));
  parent.lastChild.className = "tail";
  return (text, tail) => {
    parent.firstChild.textContent = text;
    parent.lastChild.textContent = tail;
  };
}

export function clock(seconds, mark = ".") {
  const all = Math.round(seconds * 1000);
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  const milli = String(all % 1000).padStart(3, "0");
  return `${two(all / 3600000)}:${two((all / 60000) % 60)}:${two((all / 1000) % 60)}${mark}${milli}`;
}
