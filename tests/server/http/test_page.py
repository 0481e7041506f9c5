"""The web page: what every file is served as, and all of it in a real browser."""

import json
import re
from pathlib import Path

import pytest

from tests.clips import FOLDER, GERMAN, SILENCE, TURN_ON
from tests.server.door import House
from tests.server.http.browser import Tab, browsing
from tests.server.http.web import Web, array, line, run, serving
from wyoming_streamwhisper import __version__
from wyoming_streamwhisper.server.http import page
from wyoming_streamwhisper.session.profile import Profile

FILES = sorted(path.name for path in Path(page.__file__).with_name("static").iterdir())
LINES = "[...document.querySelectorAll('#said p:not(.hint)')].map((p) => p.innerText)"


@pytest.mark.parametrize("path", ["/", *(f"/static/{name}" for name in FILES)])
def test_all_of_it_is_open_and_under_a_strict_policy(house: House, path: str) -> None:
    with serving(house, http_tokens=("secret",)) as web:
        answer = web.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        # Nothing from another host, and nothing in the page that the policy forbids.
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|\son\w+=|style=", answer.text)


@pytest.mark.parametrize("path", ["/info", "/static/../info", "//", "//info", "/staticx"])
def test_what_it_asks_then_needs_the_token(house: House, path: str) -> None:
    with serving(house, http_tokens=("secret",)) as web:
        assert web.get(path).status_code == 401


def test_it_is_told_what_runs(house: House) -> None:
    with serving(house, Profile("home"), Profile("study")) as web:
        told = web.get("/info").json()
    assert (told["version"], told["model"]) == (__version__, "demo")
    assert (told["languages"], told["profiles"]) == (["en", "de"], ["home", "study"])


def test_no_other_file_is_served(web: Web) -> None:
    for path in ("/static/", "/static/../page.py", "/static/%2e%2e/page.py", "/index.html"):
        assert web.get(path).status_code == 404, path


def listen(tab: Tab) -> list[str]:
    """Press Start, and Stop once a final is there; return the lines."""
    tab.click("#listen")
    tab.until("document.querySelector('#last').value !== '–'")
    tab.click("#listen")
    tab.until("document.querySelector('#listen').innerText === 'Start'")
    lines: list[str] = tab.js(LINES)
    return lines


def test_what_the_microphone_hears_is_read_in_the_page(web: Web, tmp_path: Path) -> None:
    with browsing(tmp_path, SILENCE + TURN_ON.pcm + 3 * SILENCE) as tab:
        tab.open(web.url)
        tab.js(
            "window.tails = []; new MutationObserver(() => tails.push(document.querySelector("
            "'#said .tail')?.innerText)).observe(document.querySelector('#said'), "
            "{subtree: true, childList: true, characterData: true})"
        )
        assert listen(tab) == [TURN_ON.text]
        assert any(tab.js("tails")), "no word was ever pale"
        assert float(tab.text("#first").removesuffix(" s")) > 0
        tab.click("#clear")
        assert tab.js(LINES) == []
        assert tab.complaints == []


def test_a_broken_connection_is_gone_on_with(house: House, tmp_path: Path) -> None:
    with (
        serving(house, http_resume=30.0) as web,
        browsing(tmp_path, SILENCE + TURN_ON.pcm + 3 * SILENCE) as tab,
    ):
        tab.open(web.url)
        # The page's socket, to be broken amid the words.
        tab.js(
            "window.sockets = []; const Real = WebSocket; window.WebSocket = class extends Real {"
            "constructor(...all) { super(...all); sockets.push(this); } }"
        )
        tab.click("#listen")
        tab.until("document.querySelector('#said .tail')")
        tab.js("sockets[0].close(3000)")
        tab.until("document.querySelector('#last').value !== '–'")
        assert tab.js(LINES) == [TURN_ON.text]
        assert tab.js("sockets.length") == 2
        tab.click("#listen")
        tab.until("document.querySelector('#listen').innerText === 'Start'")


def test_a_file_is_read_with_times_and_can_be_saved(web: Web, tmp_path: Path) -> None:
    with browsing(tmp_path) as tab:
        tab.open(f"{web.url}/#file")
        tab.js(
            "window.saved = []; URL.createObjectURL = (blob) => { saved.push(blob); return '#'; }"
        )
        tab.choose_file("#chosen", FOLDER / GERMAN.name)
        tab.until("!document.querySelector('#formats').hidden")
        assert tab.js("document.querySelector('#segments tr').cells[2].innerText") == GERMAN.text
        for button in tab.js("[...document.querySelectorAll('[data-format]')].map((b) => "
                             "b.dataset.format)"):  # fmt: skip
            tab.click(f"[data-format={button}]")
        txt, srt, vtt, whole = tab.js("Promise.all(saved.map((blob) => blob.text()))")
        assert txt == f"{GERMAN.text}\n"
        assert re.fullmatch(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n.+\n", srt)
        assert re.fullmatch(r"WEBVTT\n\n00:00:0\d\.\d{3} --> 00:00:0\d\.\d{3}\n.+\n", vtt)
        assert json.loads(whole)["model"] == "demo"
        assert tab.complaints == []


def test_what_is_no_recording_is_told(web: Web, tmp_path: Path) -> None:
    (tmp_path / "text.mp3").write_text("no sound")
    with browsing(tmp_path) as tab:
        tab.open(f"{web.url}/#file")
        tab.choose_file("#chosen", tmp_path / "text.mp3")
        assert tab.until("document.querySelector('#file-problem').innerText")
        assert tab.js("document.querySelector('#result').hidden") is True


def test_satellites_are_seen_while_they_speak(web: Web, tmp_path: Path) -> None:
    async def speak() -> None:
        async with line(f"{web.ws}/ws/transcription?client_id=kitchen&language=en") as speaker:
            await speaker.send(array(TURN_ON.pcm))
            await speaker.send({"type": "stop"})
            await speaker.kind("transcription")

    with browsing(tmp_path) as tab:
        tab.open(f"{web.url}/#satellites")
        tab.until("document.querySelector('#status').innerText === 'connected'")
        run(speak())
        tab.until("document.querySelector('#seats td.number + td')?.innerText")
        name, text, lasted, delay = tab.js(
            "[...document.querySelector('#seats tr').cells].map((cell) => cell.innerText)"
        )
        assert (name, text) == ("kitchen", TURN_ON.text)
        assert re.fullmatch(r"\d+\.\d s \d+ ms", f"{lasted} {delay}")
        assert tab.complaints == []


def test_a_token_is_asked_for_and_kept(house: House, tmp_path: Path) -> None:
    with (
        serving(house, http_tokens=("sesame",)) as web,
        browsing(tmp_path, SILENCE + TURN_ON.pcm + 3 * SILENCE) as tab,
    ):
        tab.open(web.url)
        tab.until("!document.querySelector('#entry').hidden")
        tab.open(f"{web.url}/?token=sesame")
        tab.until("document.querySelector('#status').innerText === 'connected'")
        assert "sesame" not in tab.js("location.href")
        assert listen(tab) == [TURN_ON.text]


def test_it_can_be_used_without_a_mouse(web: Web, tmp_path: Path) -> None:
    with browsing(tmp_path) as tab:
        tab.open(web.url)
        tab.js("document.querySelector('#tab-live').focus()")
        for key, shown in (("ArrowRight", "file"), ("End", "satellites"), ("ArrowRight", "live")):
            tab.call("Input.dispatchKeyEvent", type="keyDown", key=key)
            assert tab.js("document.activeElement.getAttribute('aria-controls')") == shown
            assert tab.js("[...document.querySelectorAll('[role=tabpanel]:not([hidden])')]"
                          ".map((panel) => panel.id)") == [shown]  # fmt: skip
        unnamed = tab.js(
            "[...document.querySelectorAll('button, select, input, meter, progress, [role]')]"
            ".filter((e) => !e.labels?.length && !e.innerText?.trim() && !e.ariaLabel && "
            "!e.hasAttribute('aria-labelledby') && !['alert', 'status'].includes(e.role))"
            ".map((e) => e.outerHTML)"
        )
        assert unnamed == []
        tab.look(320, 640)
        for panel in ("live", "file", "satellites"):
            tab.click(f"#tab-{panel}")
            assert tab.js("document.documentElement.scrollWidth") <= 320, panel


# The contrast of each piece of text with what is behind it, and of each control's edge (WCAG 2.1).
CONTRASTS = """(() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = numbers(getComputedStyle(e).backgroundColor);
      if ((color[3] ?? 1) === 1) return color;
    }
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const seen = (e) => e.checkVisibility() && !e.disabled && !e.closest(".unseen");
  const low = [];
  for (const e of document.querySelectorAll("body *")) {
    const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const style = getComputedStyle(e), back = behind(e);
    const mixed = (c, i) => c * style.opacity + back[i] * (1 - style.opacity);
    const ink = numbers(style.color).slice(0, 3).map(mixed);
    if (text && seen(e) && ratio(ink, back) < 4.5) low.push(e.outerHTML);
    const edged = e.matches('select, input[type="password"], button:not([role="tab"])');
    const edge = numbers(style.borderTopColor);
    const around = behind(e.parentElement);
    const best = Math.max(ratio(edge, around), ratio(back, around));
    if (edged && seen(e) && best < 3) low.push(e.outerHTML);
  }
  return low;
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_is_dark_enough_to_be_read(web: Web, tmp_path: Path, dark: bool) -> None:
    with browsing(tmp_path) as tab:
        tab.look(900, 700, dark=dark)
        tab.open(web.url)
        tab.until("document.querySelector('#status').innerText === 'connected'")
        tab.js("""document.querySelector('#said').innerHTML =
               '<p><span>sure</span><span class="tail">perhaps</span></p>'""")
        (tmp_path / "text.mp3").write_text("no sound")
        for panel in ("live", "file", "satellites"):
            tab.click(f"#tab-{panel}")
            if panel == "file":
                tab.choose_file("#chosen", tmp_path / "text.mp3")
                tab.until("document.querySelector('#file-problem').innerText")
            assert tab.js(CONTRASTS) == [], panel
        tab.js("document.body.style.color = '#888'; document.body.style.background = '#999'")
        assert tab.js(CONTRASTS) != []


def test_a_screen_reader_hears_stages_and_not_each_number(web: Web, tmp_path: Path) -> None:
    with browsing(tmp_path) as tab:
        tab.open(f"{web.url}/#file")
        tab.js(
            "window.heard = []; new MutationObserver(() => heard.push("
            "document.querySelector('#stage').textContent)).observe("
            "document.querySelector('#stage'), { childList: true, characterData: true })"
        )
        tab.choose_file("#chosen", FOLDER / GERMAN.name)
        tab.until("!document.querySelector('#formats').hidden")
        assert tab.js("heard") == ["Sending", "Listening"]
