"""One utterance over one connection: audio goes out while words come back.

Knows no files, microphones or screens: audio comes as blocks of samples, and who wants to watch
passes a callback.
"""

import asyncio
import time
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram

from wyoming_streamwhisper.client.link import Connect, Link, Unreachable, link
from wyoming_streamwhisper.client.record import Conversation, Sent
from wyoming_streamwhisper.client.sources import RATE, REAL_TIME, Pacing, Samples, paced

PATIENCE_S = 60.0
"""How long nothing may move in either direction before the daemon counts as stuck."""
GOODBYE_S = 1.0
"""The text is there; waiting longer for its `transcript-stop` would only cost time."""
SPEECH_RMS = 330.0
"""One percent of full scale: quieter blocks are not yet speech when the first one is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked of the daemon for one utterance, beside the audio."""

    language: str | None = None
    name: str | None = None
    """Model or program, in `transcribe`."""
    program: str | None = None
    """Program chosen with `select-program`, for daemons that announce several."""
    context: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def events(self) -> list[Event]:
        """Return what goes out before the audio."""
        asked = Transcribe(
            name=self.name,
            language=self.language,
            context=self.context or None,
            transcript_names=list(self.names) or None,
        ).event()
        return [SelectProgram(self.program).event(), asked] if self.program else [asked]


Watch = Callable[[Conversation], None]


def unwatched(_: Conversation) -> None:
    """Watch nothing."""


async def speak(
    uri: str,
    audio: Samples,
    asking: Asking = Asking(),
    pacing: Pacing = REAL_TIME,
    watch: Watch = unwatched,
    patience: float = PATIENCE_S,
    connect: Connect = link,
) -> Conversation:
    """Say 16 kHz mono `audio` to the daemon at `uri`; see `converse`."""
    return await converse(uri, paced(audio, pacing), asking, watch, patience, connect)


async def converse(
    uri: str,
    blocks: AsyncIterable[Samples],
    asking: Asking = Asking(),
    watch: Watch = unwatched,
    patience: float = PATIENCE_S,
    connect: Connect = link,
) -> Conversation:
    """Send blocks as they come and read meanwhile, until the daemon's answer.

    Never raises for what a network or a daemon does: the record's `failure` says it. An answer
    before the blocks end (early endpointing) ends the sending. `watch` is called after every event.
    Another `connect` lets the same client measure servers that speak another protocol.
    """
    record = Conversation()
    try:
        async with connect(uri) as client:
            await _Exchange(client, record, watch, patience).run(blocks, asking)
    except Unreachable as error:
        record.fail("no-connection", str(error))
    return record


class _Exchange:
    """The two directions of one connection, and the one deadline that both push ahead."""

    def __init__(self, client: Link, record: Conversation, watch: Watch, patience: float) -> None:
        self._client = client
        self._record = record
        self._watch = watch
        self._patience = patience
        self._deadline = asyncio.timeout(patience)

    async def run(self, blocks: AsyncIterable[Samples], asking: Asking) -> None:
        try:
            async with self._deadline, asyncio.TaskGroup() as group:
                sending = group.create_task(self._send(blocks, asking))
                await self._receive()
                sending.cancel()
        except TimeoutError:
            waited = f"no answer and no progress for {self._patience:.0f} s"
            self._record.fail("timeout", waited)

    async def _send(self, blocks: AsyncIterable[Samples], asking: Asking) -> None:
        record = self._record
        try:
            for event in asking.events():
                await self._client.write_event(event)
            await self._client.write_event(AudioStart(RATE, 2, 1).event())
            record.begun_at = time.monotonic()
            samples = 0
            async for block in blocks:
                if record.transcript is not None:
                    return
                if not len(block):  # A resampler holds back its first samples.
                    continue
                # Noted before the write, so that no delay is measured too short.
                now = time.monotonic()
                samples += len(block)
                record.sent.append(Sent(samples / RATE, now))
                if record.speech_at is None and _loud(block):
                    record.speech_at = now
                await self._client.write_event(AudioChunk(RATE, 2, 1, block.tobytes()).event())
                self._progress()
            if record.transcript is None:
                record.stop_sent_at = time.monotonic()
                await self._client.write_event(AudioStop().event())
        except OSError:
            # The reader knows better why the daemon hung up: its last words are still to be read.
            record.stop_sent_at = None

    async def _receive(self) -> None:
        record = self._record
        while True:
            try:
                event = await self._client.read_event()
                if event is None:
                    return record.fail("closed", "the daemon hung up without an answer")
                said_all = record.note(event, time.monotonic())
            except (asyncio.IncompleteReadError, OSError):
                return record.fail("closed", "the daemon hung up in the middle of an answer")
            except (KeyError, TypeError, AttributeError):
                return record.fail("malformed", "the daemon's answer is not Wyoming")
            self._progress()
            self._watch(record)
            if said_all:
                return None

    def _progress(self) -> None:
        """Push the deadline: patience while the answer is open, a moment once it is there."""
        wait = self._patience if self._record.transcript is None else GOODBYE_S
        if not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time() + wait)


def _loud(block: Samples) -> bool:
    return bool(np.sqrt(np.mean(np.square(block, dtype=np.float32))) > SPEECH_RMS)
