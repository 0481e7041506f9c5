"""Makes the pictures of the web page in docs/images: python -m tests.server.http.pictures."""

import asyncio
import tempfile
from pathlib import Path

from tests.clips import RATE, SHORT, SILENCE, TURN_ON, clip
from tests.server.door import House
from tests.server.http.browser import Tab, browsing, write
from tests.server.http.web import Web, array, line, run, serving

IMAGES = Path(__file__).parents[3] / "docs" / "images"
_TENTH = 2 * RATE // 10
"""Bytes of a tenth of a second."""
SAID = (TURN_ON, SHORT, clip("command-en-000"), clip("pauses-en-185"))


def live(tab: Tab, web: Web, sound: Path) -> None:
    """Show the page amid the last of several sentences."""
    tab.look(900, 640)
    tab.open(web.url)
    tab.click("#listen")
    tab.until(
        f"[...document.querySelectorAll('#said p')].length === {len(SAID)} && "
        "[...document.querySelectorAll('#said p:last-child span')]"
        ".every((span) => span.innerText.trim()) && "
        "document.querySelector('#level').value > -45"
    )
    (IMAGES / "live.png").write_bytes(tab.picture())


def recording(tab: Tab, web: Web, sound: Path) -> None:
    """Show a result on a phone, by night."""
    tab.look(390, 760, dark=True, scale=1.5)
    tab.open(f"{web.url}/#file")
    tab.choose_file("#chosen", sound)
    tab.until("!document.querySelector('#formats').hidden")
    (IMAGES / "file.png").write_bytes(tab.picture())


def satellites(tab: Tab, web: Web, sound: Path) -> None:
    """Show who has spoken, and one who speaks."""

    async def speak(name: str, pcm: bytes, *, to_the_end: bool) -> None:
        async with line(f"{web.ws}/ws/transcription?client_id={name}&language=en") as speaker:
            for at in range(0, len(pcm), _TENTH):
                await speaker.send(array(pcm[at : at + _TENTH]))
                await asyncio.sleep(0.1)
            if to_the_end:
                await speaker.send({"type": "stop"})
                await speaker.kind("transcription")
            else:
                await speaker.kind("partial")
                await asyncio.to_thread(look)

    def look() -> None:
        tab.until("document.querySelector('#seats [data-state=speaking] td')?.innerText")
        (IMAGES / "satellites.png").write_bytes(tab.picture())

    tab.look(900, 500)
    tab.open(f"{web.url}/#satellites")
    tab.until("document.querySelector('#status').innerText === 'connected'")
    for name, said in zip(("kitchen", "study", "hall"), SAID, strict=False):
        run(speak(name, said.pcm, to_the_end=True))
    run(speak("living-room", SAID[-1].pcm, to_the_end=False))


def main() -> None:
    """Make all of them."""
    IMAGES.mkdir(exist_ok=True)
    sound = SILENCE + b"".join(said.pcm + SILENCE for said in SAID)
    house = House()
    try:
        for make in (live, recording, satellites):
            with (
                tempfile.TemporaryDirectory() as folder,
                serving(house) as web,
                browsing(Path(folder), sound) as tab,
            ):
                write(Path(folder) / "talk.wav", sound)
                make(tab, web, Path(folder) / "talk.wav")
    finally:
        house.close()


if __name__ == "__main__":
    main()
