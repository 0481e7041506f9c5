"""Letting sources speak, one after another or all at once, while a screen shows their words."""

import asyncio
import signal
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from wyoming_streamwhisper.client.conversation import (
    PATIENCE_S,
    Asking,
    Watch,
    converse,
    speak,
    unwatched,
)
from wyoming_streamwhisper.client.record import Conversation
from wyoming_streamwhisper.client.screen import Screen
from wyoming_streamwhisper.client.sources import (
    Microphone,
    Pacing,
    Samples,
    SourceError,
    read_file,
)


@dataclass(frozen=True, slots=True)
class Source:
    """Who speaks: a file, or a microphone (`device` None is the default one)."""

    name: str
    file: Path | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same for all sources of one run."""

    uri: str
    asking: Asking = field(default_factory=Asking)
    pacing: Pacing = field(default_factory=Pacing)
    patience: float = PATIENCE_S


async def say(audio: Samples, terms: Terms, watch: Watch = unwatched) -> Conversation:
    """Say recorded audio on the terms of this run."""
    return await speak(terms.uri, audio, terms.asking, terms.pacing, watch, terms.patience)


async def play(
    sources: Sequence[Source], terms: Terms, screen: Screen, *, together: bool
) -> list[Conversation]:
    """Let every source speak; an utterance that fails does not stop the others."""
    microphones = {s: Microphone(s.device) for s in sources if s.file is None}

    def turn(source: Source) -> Coroutine[Any, Any, Conversation]:
        return _turn(source, microphones.get(source), terms, screen)

    with screen, ended_by_hand(list(microphones.values())):
        if together:
            return await asyncio.gather(*map(turn, sources))
        return [await turn(source) for source in sources]


async def _turn(
    source: Source, microphone: Microphone | None, terms: Terms, screen: Screen
) -> Conversation:
    def watch(record: Conversation) -> None:
        screen.heard(source.name, record)

    screen.begins(source.name)
    try:
        if microphone is not None:
            async with microphone:
                heard = microphone.blocks()
                record = await converse(terms.uri, heard, terms.asking, watch, terms.patience)
        else:
            assert source.file is not None
            audio = await asyncio.to_thread(read_file, source.file)
            record = await say(audio, terms, watch)
    except SourceError as error:
        record = Conversation()
        record.fail("no-audio", str(error))
    screen.done(source.name, record)
    return record


class Endless(Protocol):
    """A source that goes on until somebody ends it."""

    def end(self) -> None:
        """Let the utterance end after what has been heard so far."""


@contextmanager
def ended_by_hand(sources: Sequence[Endless]) -> Iterator[None]:
    """Let the first Ctrl-C, or Enter, end what the sources hear; a second Ctrl-C interrupts."""
    if not sources:
        yield
        return
    loop = asyncio.get_running_loop()
    keyboard = sys.stdin.isatty()

    def end() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        if keyboard:
            loop.remove_reader(sys.stdin)
        for source in sources:
            source.end()

    def entered() -> None:
        sys.stdin.readline()  # Left there, the shell would take it.
        end()

    loop.add_signal_handler(signal.SIGINT, end)
    if keyboard:
        loop.add_reader(sys.stdin, entered)
    try:
        yield
    finally:
        end()
