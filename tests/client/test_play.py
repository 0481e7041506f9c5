"""Several sources, files and microphones, one after another and at once."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from wyoming.asr import TranscriptChunk, TranscriptStart

from tests.client.test_sources import FakeSound, tone, write_wav
from tests.scripted_server import BEGIN, END, Line, finish, says, scripted
from wyoming_streamwhisper.client.play import Source, Terms, play
from wyoming_streamwhisper.client.record import Conversation
from wyoming_streamwhisper.client.screen import Screen
from wyoming_streamwhisper.client.sources import Pacing

FAST = Pacing(real_time=False)


class Seen(Screen):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.done_names: list[str] = []

    def done(self, name: str, record: Conversation) -> None:
        self.done_names.append(name)


def test_files_are_played_one_after_another(tmp_path: Path) -> None:
    """In order, and one that cannot be read does not stop the next."""
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    good = write_wav(tmp_path / "good.wav", tone(16_000))
    sources = [Source("a", good), Source("b", broken), Source("c", good)]
    seen = Seen()

    async def run() -> list[Conversation]:
        async with scripted(says("one"), says("two")) as server:
            return await play(sources, Terms(server.uri, pacing=FAST), seen, together=False)

    records = asyncio.run(run())
    assert [record.text for record in records] == ["one", "", "two"]
    assert seen.done_names == ["a", "b", "c"]
    assert records[1].failure is not None
    assert records[1].failure.code == "no-audio"


def test_together_they_speak_at_once(tmp_path: Path) -> None:
    """Both conversations are open at the same time."""
    good = write_wav(tmp_path / "good.wav", tone(16_000))
    begun = Line(BEGIN, [TranscriptStart(), TranscriptChunk("ja")])
    both = asyncio.Event()

    class Meeting(Seen):
        def __init__(self) -> None:
            super().__init__()
            self.speaking: set[str] = set()

        def heard(self, name: str, record: Conversation) -> None:
            self.speaking.add(name)
            if len(self.speaking) == 2:
                both.set()

        def done(self, name: str, record: Conversation) -> None:
            assert both.is_set()

    async def run() -> list[Conversation]:
        async with scripted([begun, Line(END, finish("ja"))]) as server:
            sources = [Source("a", good), Source("b", good)]
            return await play(sources, Terms(server.uri), Meeting(), together=True)

    assert [record.text for record in asyncio.run(run())] == ["ja", "ja"]


def test_ctrl_c_ends_a_microphone_and_shows_the_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon gets audio-stop, and its answer counts."""
    sound = FakeSound()
    monkeypatch.setitem(sys.modules, "sounddevice", sound)

    class Speaker(Seen):
        def heard(self, name: str, record: Conversation) -> None:
            if not record.sent:
                sound.hear(np.ones(480, np.int16).tobytes())
            if record.transcript is None and record.revisions:
                os.kill(os.getpid(), signal.SIGINT)

    async def run() -> tuple[list[Conversation], list[str]]:
        script = [Line(BEGIN, [TranscriptStart()]), Line(END, finish("ja"))]
        async with scripted(script) as server:
            records = await play([Source("mic")], Terms(server.uri), Speaker(), together=True)
            return records, server.heard[0].types

    records, types = asyncio.run(run())
    assert records[0].text == "ja"
    assert types[-1] == END
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
