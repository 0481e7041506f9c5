"""Writes a transcript as text, subtitles, a table or JSON."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from wyoming_streamwhisper.files.result import Result, Segment


def write(result: Result, form: str) -> str:
    """Return a transcript in one of FORMATS, with a line break at its end."""
    return FORMATS[form](result)


def as_text(result: Result) -> str:
    """Return a line for each segment."""
    return "".join(f"{segment.text}\n" for segment in result.segments)


def as_srt(result: Result) -> str:
    """Return SubRip subtitles."""
    return "\n".join(
        f"{number}\n{_clock(s.start, ',')} --> {_clock(s.end, ',')}\n{_cue(s)}\n"
        for number, s in enumerate(result.segments, 1)
    )


def as_vtt(result: Result) -> str:
    """Return WebVTT subtitles."""
    cues = [
        f"{_clock(s.start, '.')} --> {_clock(s.end, '.')}\n{_escaped(_cue(s))}\n"
        for s in result.segments
    ]
    return "\n".join(["WEBVTT\n", *cues])


def as_tsv(result: Result) -> str:
    """Return a table of begin and end in milliseconds, and text, as openai-whisper writes it."""
    rows = [
        f"{round(1000 * s.start)}\t{round(1000 * s.end)}\t{s.text.replace(chr(9), ' ')}\n"
        for s in result.segments
    ]
    return "".join(["start\tend\ttext\n", *rows])


def as_json(result: Result) -> str:
    """Return everything that is known, in a JSON object."""
    said = {
        "text": result.text,
        "language": result.language,
        "duration": round(result.duration, 3),
        "segments": [_segment(number, s) for number, s in enumerate(result.segments)],
    }
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


FORMATS: dict[str, Callable[[Result], str]] = {
    "txt": as_text,
    "srt": as_srt,
    "vtt": as_vtt,
    "tsv": as_tsv,
    "json": as_json,
}
"""All formats by the ending of their files."""


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "language": segment.language,
        "average_logprob": round(max(segment.average_logprob, -99.0), 3),
        "no_speech": round(segment.no_speech, 3),
        "words": [
            {
                "word": word.text,
                "start": round(word.start, 3),
                "end": round(word.end, 3),
                "probability": round(word.probability, 3),
            }
            for word in segment.words
        ],
    }


def _clock(seconds: float, point: str) -> str:
    ms = round(1000 * max(seconds, 0.0))
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _cue(segment: Segment) -> str:
    """Return a segment's text; an arrow would end a cue, so it is written otherwise."""
    return _two_lines(segment.text.replace("-->", "->").split())


def _two_lines(words: Sequence[str]) -> str:
    """Break a text of more than one line of subtitles near its middle."""
    text = " ".join(words)
    if len(text) <= 42 or len(words) < 2:
        return text
    breaks = [len(" ".join(words[:n])) for n in range(1, len(words))]
    at = min(breaks, key=lambda place: abs(place - len(text) / 2))
    return f"{text[:at]}\n{text[at + 1 :]}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
