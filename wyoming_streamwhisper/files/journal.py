"""What has been decoded of a recording, kept on disk: for a later run that goes on from there.

One line of JSON for each chunk as soon as it is decoded, and a last one when all are. What a run
leaves behind is found again by the recording's content and all that could change its text.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from wyoming_streamwhisper.core.chunks import Chunk
from wyoming_streamwhisper.core.words import Hypothesis, Word
from wyoming_streamwhisper.files.heard import Heard

_BLOCK = 1 << 20
_FORMAT = 1
"""Counts the changes of what a line means."""


def key_of(file: Path, terms: object) -> str:
    """Return the name of a recording's journal; `terms` is all that its text depends on.

    Raises:
        OSError: the file cannot be read.

    """
    digest = hashlib.sha256(repr((_FORMAT, terms)).encode())
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()[:32]


class Journal:
    """The chunks of one recording that were decoded, in this run or before."""

    def __init__(self, file: Path, *, resume: bool) -> None:
        """Open it, and forget what it holds unless that is to be used.

        Raises:
            OSError: it cannot be written.

        """
        self._path = file
        self._known: dict[Chunk, Hypothesis] = {}
        """What an earlier run heard."""
        self.duration: float | None = None
        """Seconds of the recording, where an earlier run came to its end."""
        self.fault = ""
        whole = self._read() if resume and file.exists() else 0
        file.parent.mkdir(parents=True, exist_ok=True)
        # It holds what people said: for nobody else.
        self._out: IO[bytes] = os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        self._out.truncate(whole)  # a line that was not finished too
        self._out.seek(whole)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep what was decoded for a later run."""
        self._out.close()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, chunk: Chunk) -> Hypothesis | None:
        """Return what was heard in a chunk, if it was decoded."""
        return self._known.get(chunk)

    def chunks(self) -> Iterator[Heard]:
        """Yield all chunks in order."""
        for chunk in sorted(self._known, key=lambda chunk: (chunk.start, chunk.end)):
            yield Heard(chunk, self._known[chunk])

    def add(self, chunk: Chunk, heard: Hypothesis) -> None:
        """Keep what was heard in a chunk for a later run; it is on its way to the disk at once."""
        self._write({"chunk": [chunk.start, chunk.end], **_as_dict(heard)})

    def finish(self, duration: float, fault: str) -> None:
        """Note that nothing is missing."""
        if self.duration is None:
            self._write({"duration": duration, "fault": fault})
            self.duration, self.fault = duration, fault

    def remove(self) -> None:
        """Leave nothing behind; it is still to be closed."""
        self._path.unlink(missing_ok=True)

    def _write(self, line: dict[str, Any]) -> None:
        self._out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._out.flush()

    def _read(self) -> int:
        """Take in the lines that are whole; returns where they end."""
        whole = 0
        for line in self._path.read_bytes().splitlines(keepends=True):
            try:
                said = json.loads(line)
                if not line.endswith(b"\n"):
                    break
                if "chunk" in said:
                    self._known[Chunk(*said["chunk"])] = _from_dict(said)
                else:
                    self.duration, self.fault = said["duration"], said["fault"]
            except (ValueError, KeyError, TypeError):
                break
            whole += len(line)
        return whole


def _as_dict(heard: Hypothesis) -> dict[str, Any]:
    return {
        "language": heard.language,
        "language_probability": heard.language_probability,
        "plausible": heard.plausible,
        "average_logprob": max(heard.average_logprob, -99.0),  # JSON knows no infinity
        "no_speech": heard.no_speech,
        "words": [[w.text, w.start, w.end, w.probability] for w in heard.words],
    }


def _from_dict(said: dict[str, Any]) -> Hypothesis:
    return Hypothesis(
        words=tuple(
            Word(text, start, end, probability, ())
            for text, start, end, probability in said["words"]
        ),
        language=said["language"],
        language_probability=said["language_probability"],
        plausible=said["plausible"],
        average_logprob=said["average_logprob"],
        no_speech=said["no_speech"],
    )
