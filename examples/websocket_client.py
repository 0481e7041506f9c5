"""A file through `/stream` or `/ws/transcription`, with nothing but websockets and numpy.

    python examples/websocket_client.py talk.wav              # PCM over /stream
    python examples/websocket_client.py talk.wav --arrays me  # numpy arrays, as the client `me`
    python examples/websocket_client.py talk.wav --break-after 2

Take it as the beginning of a client of your own; it uses none of our code. `--break-after` cuts
the connection like a network does. The client comes back and goes on where the server says,
so no word is lost. (A client with a microphone keeps the sound behind the last `received`.)
docs/http.md describes the messages.
"""

import argparse
import asyncio
import io
import json
import sys
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

Message = dict[str, Any]
Sound = npt.NDArray[np.int16]

BLOCK_S = 0.1
"""Seconds of sound in one message."""
GRAIN_S = 0.1
"""Seconds within which two positions are the same; no word is as short."""
TRIES, PAUSE_S = 10, 0.5
"""How often a lost connection is tried again, and the seconds between."""
ANSWER_S = 10.0
"""Seconds in which a server that knows us says where to go on."""


class Refused(Exception):
    """The server does not do what was asked; the message says why."""


class Pcm:
    """What is special about `/stream`: bytes, and a session that the server names."""

    unit = 2
    """The server counts bytes, of which a sample has this many."""
    final = "final"

    def __init__(self, rate: int) -> None:
        self._first: Message = {"sample_rate": rate, "end_silence": 0.8}
        self._session = ""

    @property
    def known(self) -> bool:
        """Whether there is something to go on with."""
        return bool(self._session)

    def path(self, seq: int) -> str:
        """Return where to connect."""
        return "/stream"

    async def greet(self, socket: ClientConnection, seq: int) -> None:
        """Say what follows, or which session goes on behind which message."""
        back = {"session_id": self._session, "last_seq": seq}
        await socket.send(json.dumps(back if self._session else self._first))

    def note(self, message: Message) -> None:
        """Remember the session."""
        self._session = message.get("session_id", self._session)

    def message(self, block: Sound) -> bytes:
        """Write a block of sound."""
        return block.astype("<i2").tobytes()


class Arrays:
    """What is special about `/ws/transcription`: `.npy` files, and a client that names itself."""

    unit = 1
    """The server counts samples."""
    final = "transcription"

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self.known = False
        """Whether there is something to go on with."""

    def path(self, seq: int) -> str:
        """Return where to connect: a client that was there says what it has read."""
        query = {"client_id": self._client_id} | ({"last_seq": seq} if self.known else {})
        return f"/ws/transcription?{urlencode(query)}"

    async def greet(self, socket: ClientConnection, seq: int) -> None:
        """Say nothing: the address has said it."""
        self.known = True

    def note(self, message: Message) -> None:
        """Remember nothing."""

    def message(self, block: Sound) -> bytes:
        """Write a block of sound."""
        file = io.BytesIO()
        np.save(file, block.astype(np.float32) / 32768)
        return file.getvalue()


class Client:
    """Sends one recording, over as many connections as it takes."""

    def __init__(self, kind: Pcm | Arrays, sound: Sound, rate: int, real_time: bool) -> None:
        self._kind, self._sound, self._rate, self._real_time = kind, sound, rate, real_time
        self._at = 0
        """The next sample to send."""
        self._seq = 0
        """Number of the last message that was read."""

    async def messages(
        self, url: str, headers: dict[str, str], break_after: float
    ) -> AsyncIterator[Message]:
        """Yield the server's messages up to the last text; `break_after` is in seconds, 0 never.

        Raises Refused, and ConnectionError if the server cannot be reached (again).
        """
        tries = 0
        while True:
            try:
                path = self._kind.path(self._seq)
                async with connect(url + path, additional_headers=headers) as socket:
                    async for message in self._connected(socket, break_after):
                        tries = 0
                        yield message
                    return
            except (ConnectionClosed, OSError) as error:
                if not self._kind.known or tries == TRIES:
                    raise ConnectionError(f"No connection: {error}.") from error
            tries += 1
            break_after = 0.0
            await asyncio.sleep(PAUSE_S)

    async def _connected(
        self, socket: ClientConnection, break_after: float
    ) -> AsyncIterator[Message]:
        """Yield the messages of one connection; raises ConnectionClosed when it breaks."""
        back = self._kind.known
        await self._kind.greet(socket, self._seq)
        if back:
            yield await self._resumed(socket)
        sending = asyncio.create_task(self._send(socket, break_after))
        try:
            while True:
                message = _checked(await socket.recv())
                self._seq = message["seq"]
                self._kind.note(message)
                yield message
                if message["type"] == self._kind.final and self._is_last(message):
                    return
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _resumed(self, socket: ClientConnection) -> Message:
        """Go back to where the server has heard us."""
        try:
            async with asyncio.timeout(ANSWER_S):
                message = _checked(await socket.recv())
        except TimeoutError:
            raise Refused("The server has forgotten what was said before.") from None
        self._at = message["received"] // self._kind.unit
        return message

    def _is_last(self, message: Message) -> bool:
        """Whether a text ends where the recording does: silence ends turns, too."""
        everything = self._at == len(self._sound)
        return everything and message["end"] > len(self._sound) / self._rate - GRAIN_S

    async def _send(self, socket: ClientConnection, break_after: float) -> None:
        """Send what is left, and that it is all."""
        step = round(BLOCK_S * self._rate)
        while self._at < len(self._sound):
            block = self._sound[self._at : self._at + step]
            if self._real_time:
                await asyncio.sleep(len(block) / self._rate)
            await socket.send(self._kind.message(block))
            self._at += len(block)
            if break_after and self._at >= break_after * self._rate:
                return socket.transport.abort()
        await socket.send('{"type": "stop"}')


def _checked(text: str | bytes) -> Message:
    """Read a message; raises Refused for an error."""
    message: Message = json.loads(text)
    if message["type"] == "error":
        raise Refused(message["message"])
    return message


def read(path: Path) -> tuple[Sound, int]:
    """Return a WAV file's sound, mono, and its rate in Hz; raises ValueError for other files."""
    try:
        with wave.open(str(path)) as file:
            if file.getsampwidth() != 2:
                raise ValueError(f"{path} is not 16 bit.")
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            channels = sound.reshape(-1, file.getnchannels())
            return channels.mean(axis=1).astype(np.int16), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is no WAV file: {error}.") from error


async def transcribe(options: argparse.Namespace) -> None:
    """Print the words as they come; raises ValueError, Refused and OSError."""
    sound, rate = read(options.file)
    if options.arrays and rate != 16_000:
        raise ValueError("Arrays are 16 kHz: convert the file, or use /stream.")
    kind = Arrays(options.arrays) if options.arrays else Pcm(rate)
    headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    client = Client(kind, sound, rate, not options.fast)
    async for message in client.messages(options.url, headers, options.break_after):
        if message["type"] == "partial":
            print(f"  … {message['text']}[{message['tail']}]", flush=True)
        elif message["type"] == kind.final and message["text"]:
            print(f"{message['start']:6.1f} s  {message['text']}", flush=True)
        elif message["type"] == "resumed":
            print(f"(back; {message['received']} received)", flush=True)


def main() -> int:
    """Read the command line."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("file", type=Path, help="a WAV file, 16 bit")
    ask.add_argument("--arrays", metavar="CLIENT_ID", default="", help="send numpy arrays")
    ask.add_argument("--url", default="ws://127.0.0.1:10380", help="(%(default)s)")
    ask.add_argument("--token", default="", help="one of the server's http_tokens")
    ask.add_argument("--fast", action="store_true", help="as fast as it is taken")
    ask.add_argument("--break-after", type=float, default=0.0, metavar="SECONDS")
    options = ask.parse_args()
    try:
        asyncio.run(transcribe(options))
    except (ValueError, Refused, OSError, WebSocketException) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
