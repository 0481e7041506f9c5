"""How long a server takes from being started to taking connections, being ready, and answering."""

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.field import Entrant, Field
from benchmarks.figures import percentile
from benchmarks.settings import Settings
from benchmarks.speech import Spoken
from benchmarks.tables import Table, number
from wyoming_streamwhisper.client.conversation import Asking, speak
from wyoming_streamwhisper.client.sources import Pacing

Rows = list[dict[str, Any]]

BURST = Pacing(real_time=False)

METHOD = """\
From starting a fresh process, its files in the disk cache, to its first answer to `describe` (where
it speaks Wyoming, else to the first connection it takes), to telling systemd that it is ready
(where it does), and to its first transcript: one command, sent in a burst as soon as it takes
connections and again at once where it was answered with an error. Seconds, median of the runs."""


async def run(
    field: Field, clips: Sequence[Spoken], settings: Settings
) -> AsyncIterator[dict[str, Any]]:
    """Start each server some times, in turns; those of the field are held still meanwhile."""
    for _ in range(settings.starts):
        for entrant in field.entrants:
            yield await _start(entrant, clips[0], settings)


async def _start(entrant: Entrant, spoken: Spoken, settings: Settings) -> dict[str, Any]:
    async with _told() as ready:
        begun = time.monotonic()
        async with entrant.server.start() as running:
            accepts = time.monotonic() - begun
            answered = None
            while answered is None and time.monotonic() - begun < settings.patience_s:
                asking = Asking(language=spoken.clip.lang)
                record = await speak(
                    running.uri, spoken.audio, asking, BURST, connect=running.connect
                )
                if record.transcript_at is not None:
                    answered = record.transcript_at - begun
    return {
        "server": entrant.name,
        "accepts": accepts,
        "ready": ready[0] - begun if ready else None,
        "transcript": answered,
    }


@asynccontextmanager
async def _told() -> AsyncIterator[list[float]]:
    """Be systemd for what is started meanwhile; the list gets the time of its READY."""
    ready: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        notify.bind(str(Path(folder) / "notify"))
        notify.setblocking(False)

        def read() -> None:
            if b"READY=1" in notify.recv(4096).split(b"\n"):
                ready.append(time.monotonic())

        loop = asyncio.get_running_loop()
        loop.add_reader(notify, read)
        os.environ["NOTIFY_SOCKET"] = notify.getsockname()
        try:
            yield ready
        finally:
            del os.environ["NOTIFY_SOCKET"]
            loop.remove_reader(notify)


def table(rows: Rows) -> Table:
    """Return the medians of each server."""
    header = ["server", "first describe, s", "ready, s", "first transcript, s", "runs"]
    made = Table("start", "Start", METHOD, header)
    for server in dict.fromkeys(row["server"] for row in rows):
        own = [row for row in rows if row["server"] == server]
        cells = [number(_median(own, key), 2) for key in ("accepts", "ready", "transcript")]
        made.add(server, *cells, len(own))
    return made


def _median(rows: Rows, key: str) -> float | None:
    known = [row[key] for row in rows if row[key] is not None]
    return percentile(known, 0.5) if known else None
