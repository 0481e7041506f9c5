"""What the live examples share: sources of sound, `/stream`, and the words in place."""

import argparse
import asyncio
import json
import math
import sys
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from wyoming_streamwhisper.client.play import Endless, ended_by_hand
from wyoming_streamwhisper.client.screen import Lines
from wyoming_streamwhisper.client.sources import (
    RATE,
    Microphone,
    Pacing,
    Samples,
    SourceError,
    paced,
    read_file,
)

BLOCK_S = 0.03
"""Seconds of system sound that are sent at once."""
TURN_S = 0.8
"""Seconds of silence behind which what was said is final."""
GRAIN_S = 0.1
"""Seconds within which two positions are the same; no word is as short."""


class Source(Endless, Protocol):
    """Gives 16 kHz mono while it is open, until `end` is called."""

    async def __aenter__(self) -> Self:
        """Open; raises SourceError."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""

    def blocks(self) -> AsyncIterator[Samples]:
        """Give what is heard, as it is heard; raises SourceError."""


class Recording:
    """A file of any format that FFmpeg reads, as slowly as it was spoken."""

    def __init__(self, path: Path, real_time: bool = True) -> None:
        self._path = path
        self._pacing = Pacing(real_time=real_time)
        self._ended = False

    async def __aenter__(self) -> Self:
        """Open nothing: the file is read at once when it is heard."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close nothing."""

    def end(self) -> None:
        """Hear no further."""
        self._ended = True

    async def blocks(self) -> AsyncIterator[Samples]:
        """Give the file's sound."""
        audio = await asyncio.to_thread(read_file, self._path)
        async for block in paced(audio, self._pacing):
            if self._ended:
                return
            yield block


class SystemSound:
    """What this computer plays: `parec` reads it from PulseAudio or PipeWire."""

    COMMAND = ("parec", "--device=@DEFAULT_MONITOR@", "--latency-msec=30", "--format=s16le",
               f"--rate={RATE}", "--channels=1")  # fmt: skip

    def __init__(self) -> None:
        self._ended = False
        self._recorder: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Begin to record."""
        try:
            # A session of its own: Ctrl-C is ours, and ends it in order.
            self._recorder = await asyncio.create_subprocess_exec(
                *self.COMMAND,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            why = "System sound needs parec (apt install pulseaudio-utils)."
            raise SourceError(why) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait until it has ended."""
        self.end()
        if self._recorder is not None:
            await self._recorder.communicate()

    def end(self) -> None:
        """Record no further."""
        self._ended = True
        if self._recorder is not None and self._recorder.returncode is None:
            self._recorder.terminate()

    async def blocks(self) -> AsyncIterator[Samples]:
        """Give what is played."""
        assert self._recorder is not None
        assert self._recorder.stdout is not None
        size = 2 * round(BLOCK_S * RATE)
        while True:
            try:
                yield np.frombuffer(await self._recorder.stdout.readexactly(size), "<i2")
            except asyncio.IncompleteReadError as cut:
                yield np.frombuffer(cut.partial[: len(cut.partial) // 2 * 2], "<i2")
                break
        if await self._recorder.wait() and not self._ended:
            raise SourceError("parec gives no sound of this system.")


def source(what: str, real_time: bool) -> Source:
    """Return what is named: `mic`, `mic:DEVICE`, `system`, or a file."""
    kind, _, device = what.partition(":")
    if kind == "mic":
        return Microphone(device or None)
    return SystemSound() if what == "system" else Recording(Path(what), real_time)


class Failure(Exception):
    """The server says that it cannot go on; the message is its own."""


async def stream(socket: ClientConnection, blocks: AsyncIterable[Samples]) -> AsyncIterator[Any]:
    """Send blocks and yield the server's messages, up to the text behind the last block.

    Raises what `blocks` raises, once the text of what was heard has come, and Failure.
    """
    await socket.send(json.dumps({"sample_rate": RATE, "end_silence": TURN_S}))
    sender = _Sender()
    sending = asyncio.create_task(sender.send(socket, blocks))
    try:
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "error":
                raise Failure(message["message"])
            yield message
            # Silence ends turns, too: the last one is the one that ends where the sound does.
            if message["type"] == "final" and message["end"] > sender.all_s - GRAIN_S:
                await sending
                return
        raise Failure("the server hung up")
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


class _Sender:
    """Sends sound until it ends, and then says so."""

    all_s = math.inf
    """Seconds of all that was sent, once that is known."""

    async def send(self, socket: ClientConnection, blocks: AsyncIterable[Samples]) -> None:
        sent = 0
        try:
            async for block in blocks:
                sent += len(block)
                await socket.send(block.astype("<i2").tobytes())
        finally:
            self.all_s = sent / RATE
            await socket.send('{"type": "stop"}')


async def show(name: str, heard: Source, url: str, token: str, lines: Lines) -> bool:
    """Show the words of one source until it ends; return whether all went well."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    lines.show(name)
    try:
        async with (
            heard,
            connect(f"{url}/stream", additional_headers=headers) as socket,
        ):
            async for message in stream(socket, heard.blocks()):
                if message["type"] == "partial":
                    lines.show(name, message["text"], message["tail"])
                elif message["type"] == "final" and message["text"]:
                    lines.show(name)
                    lines.finish(name, message["text"])
    except (SourceError, Failure, WebSocketException, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    finally:
        lines.drop(name)
    return True


def run(about: str, sources: Mapping[str, str]) -> int:
    """Read the command line and show all sources at once; `sources` are names and defaults."""
    ask = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in sources.items():
        told = "`mic`, `mic:DEVICE`, `system` or a file (%(default)s)"
        ask.add_argument(name, nargs="?", default=default, help=told)
    ask.add_argument("--url", default="ws://127.0.0.1:10380", help="(%(default)s)")
    ask.add_argument("--token", default="", help="one of the server's http_tokens")
    ask.add_argument("--fast", action="store_true", help="files as fast as they are taken")
    options = ask.parse_args()

    async def all_sources() -> bool:
        heard = {name: source(getattr(options, name), not options.fast) for name in sources}
        with Lines() as lines, ended_by_hand(list(heard.values())):
            shown = (show(n, s, options.url, options.token, lines) for n, s in heard.items())
            return all(await asyncio.gather(*shown))

    try:
        return 0 if asyncio.run(all_sources()) else 1
    except KeyboardInterrupt:
        return 130
