"""A transcript in the forms that OpenAI's API knows, and in our own."""

import json
import zlib
from collections.abc import Iterable
from typing import Any, Protocol

from wyoming_streamwhisper.core.languages import LANGUAGES
from wyoming_streamwhisper.core.words import Word, append
from wyoming_streamwhisper.files.formats import as_json
from wyoming_streamwhisper.files.result import Progress, Result, Segment


def plain(result: Result, model: str) -> dict[str, Any]:
    """Write all that is known, as the command `transcribe` does, and who heard it."""
    written: dict[str, Any] = json.loads(as_json(result))
    return {**written, "model": model, "fault": result.fault}


def short(result: Result) -> dict[str, Any]:
    """Write the text, as OpenAI's `json`."""
    return {"text": result.text, "usage": usage(result)}


def verbose(
    result: Result, task: str, granularities: Iterable[str], temperature: float
) -> dict[str, Any]:
    """Write text, segments and words, as OpenAI's `verbose_json`."""
    body = {
        "task": task,
        "language": LANGUAGES.get(result.language, result.language),
        "duration": round(result.duration, 3),
        "text": result.text,
        "usage": usage(result),
    }
    if "segment" in granularities:
        segments = enumerate(result.segments)
        body["segments"] = [{**_segment(i, s), "temperature": temperature} for i, s in segments]
    if "word" in granularities:
        words = [word for segment in result.segments for word in spoken(segment.words)]
        body["words"] = words
    return body


def usage(result: Result) -> dict[str, Any]:
    """Write what OpenAI bills."""
    return {"type": "duration", "seconds": round(result.duration, 3)}


def spoken(words: Iterable[Word]) -> list[dict[str, Any]]:
    """Write words with their times; punctuation belongs to the word before it."""
    joined: list[dict[str, Any]] = []
    for word in words:
        if word.is_punctuation and not word.text.startswith(" ") and joined:
            joined[-1]["word"] += word.text
        else:
            joined.append({"word": word.text.strip(), **_span(word)})
    return joined


class Telling(Protocol):
    """Which events tell of a recording that is being transcribed."""

    def segment(self, segment: Segment, progress: Progress) -> dict[str, Any]:
        """Tell a segment."""
        ...

    def done(self, result: Result) -> dict[str, Any]:
        """Tell the end."""
        ...


class Deltas:
    """OpenAI's events: text that is only ever added to."""

    def __init__(self) -> None:
        self._text = ""

    def segment(self, segment: Segment, progress: Progress) -> dict[str, Any]:
        """Tell what a segment adds."""
        whole = append(self._text, segment.text)
        delta, self._text = whole[len(self._text) :], whole
        return {"type": "transcript.text.delta", "delta": delta}

    def done(self, result: Result) -> dict[str, Any]:
        """Tell the whole text."""
        return {"type": "transcript.text.done", "text": result.text}


class Segments:
    """Our own events: segments with their times, how far it is, and at last all of `plain`."""

    def __init__(self, model: str) -> None:
        self._model = model

    def segment(self, segment: Segment, progress: Progress) -> dict[str, Any]:
        """Tell a segment, and of how many seconds how many are done."""
        length = progress.duration
        return {
            "type": "segment",
            **_span(segment),
            "text": segment.text,
            "done": round(progress.done, 3),
            "duration": None if length is None else round(length, 3),
        }

    def done(self, result: Result) -> dict[str, Any]:
        """Tell everything."""
        return {"type": "done", **plain(result, self._model)}


def event(body: dict[str, Any]) -> str:
    """Write one server-sent event."""
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _span(part: Segment | Word) -> dict[str, float]:
    return {"start": round(part.start, 3), "end": round(part.end, 3)}


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    text = segment.text.encode()
    return {
        "id": number,
        "seek": round(segment.start * 100),
        **_span(segment),
        "text": segment.text,
        "tokens": [token for word in segment.words for token in word.tokens],
        "avg_logprob": round(max(segment.average_logprob, -99.0), 3),
        "compression_ratio": round(len(text) / max(len(zlib.compress(text)), 1), 3),
        "no_speech_prob": round(segment.no_speech, 3),
    }
