"""What a server makes of rooms in which nobody speaks: every word is invented.

    python -m benchmarks.noise --minutes 30 --serve '--model demo'
    python -m benchmarks.noise --minutes 30 --serve '--model demo --endpointing own'

Silence, white, pink and brown noise, hum, clicks and music-like tones, each at several levels and
lengths, are sent as fast as the server takes them. Half of the time is one utterance after the
other, the other half one long stream of all kinds. Prints a Markdown table: utterances, stretches
that voice activity takes for speech, utterances with words, and the words. The exit status is 1
where a word was invented or an utterance had no answer.
"""

import argparse
import asyncio
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving import ours
from wyoming_streamwhisper.client.conversation import Asking, speak
from wyoming_streamwhisper.client.sources import RATE, Pacing, Samples
from wyoming_streamwhisper.core.voice import FRAME, Voice
from wyoming_streamwhisper.engine.silero import make_vad

Sound = NDArray[np.float64]
Random = np.random.Generator
ASKING = Asking(language="en")
BURST = Pacing(real_time=False, chunk_ms=100)
LEVELS = (-60.0, -40.0, -30.0, -20.0, -10.0)
"""Root mean square in dB of full scale; the loudest clips now and then, as rooms do."""
LENGTHS = (0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds of the single utterances."""
STREAM_S = 300.0
PATIENCE_S = 600.0


def silence(_: Random, count: int) -> Sound:
    """Return nothing at all."""
    return np.zeros(count)


def coloured(slope: float) -> Callable[[Random, int], Sound]:
    """Return a maker of noise whose power falls with the frequency to the power of `slope`."""

    def make(random: Random, count: int) -> Sound:
        spectrum = np.fft.rfft(random.standard_normal(count))
        frequencies = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20.0)
        return np.asarray(np.fft.irfft(spectrum / frequencies ** (slope / 2), count))

    return make


def hum(random: Random, count: int) -> Sound:
    """Return mains hum: 50 or 60 Hz with harmonics, one motor with its beat."""
    time = np.arange(count) / RATE
    base = random.choice([50.0, 60.0])
    harmonics = [
        random.uniform(0.2, 1.0) / n * np.sin(2 * np.pi * base * n * time + random.uniform(0, 6))
        for n in (1, 2, 3, 5, 7, 10)
    ]
    beat = 1 + 0.3 * np.sin(2 * np.pi * random.uniform(0.5, 4.0) * time)
    return np.asarray(sum(harmonics)) * beat + 0.02 * random.standard_normal(count)


def clicks(random: Random, count: int) -> Sound:
    """Return clicks and knocks: decaying bursts at random moments."""
    sound = 0.001 * random.standard_normal(count)
    for _ in range(max(1, int(count / RATE * random.uniform(1, 6)))):
        at, length = int(random.integers(count)), int(random.uniform(0.002, 0.12) * RATE)
        time = np.arange(min(length, count - at)) / RATE
        ring = np.sin(2 * np.pi * random.uniform(100, 3000) * time)
        noise = random.standard_normal(len(time))
        sound[at : at + len(time)] += (ring + noise) * np.exp(-time * 40) * random.uniform(0.2, 1)
    return sound


def music(random: Random, count: int) -> Sound:
    """Return chords and a melody with harmonics, vibrato and fading notes, over a beat."""
    sound = np.zeros(count)
    note = int(random.uniform(0.12, 0.6) * RATE)
    for at in range(0, count, note):
        time = np.arange(min(2 * note, count - at)) / RATE
        chord = random.choice([0, 2, 4, 5, 7, 9, 11, 12, 16], size=int(random.integers(1, 4)))
        for step in chord:
            pitch = 220.0 * 2 ** ((step + random.choice([-12, 0, 0, 12])) / 12)
            vibrato = 0.004 * np.sin(2 * np.pi * 5.5 * time) / 5.5
            phase = 2 * np.pi * pitch * (time + vibrato)
            tone = np.asarray(sum(np.sin(n * phase) / n**1.5 for n in range(1, 6)))
            sound[at : at + len(time)] += tone * np.exp(-2.5 * time) * np.minimum(time * 60, 1)
        beat = random.standard_normal(len(time)) * np.exp(-50 * time)
        sound[at : at + len(time)] += 0.4 * beat
    return sound


KINDS: dict[str, Callable[[Random, int], Sound]] = {
    "silence": silence,
    "white": coloured(0.0),
    "pink": coloured(1.0),
    "brown": coloured(2.0),
    "hum": hum,
    "clicks": clicks,
    "music": music,
}


def render(kind: str, seconds: float, level: float, random: Random) -> Samples:
    """Return a sound of a kind at a level in dB of full scale (root mean square)."""
    sound = KINDS[kind](random, int(seconds * RATE))
    loudness = float(np.sqrt(np.mean(np.square(sound))))
    if loudness:
        sound = sound * (10 ** (level / 20) / loudness)
    return np.asarray(np.clip(np.rint(sound * 32767), -32768, 32767), np.int16)


@dataclass(slots=True)
class Row:
    """What came of one kind of sound."""

    kind: str
    minutes: float = 0.0
    utterances: int = 0
    stretches: int = 0
    """Stretches that voice activity took for speech."""
    spoken: int = 0
    """Utterances with words."""
    texts: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def words(self) -> int:
        """Words invented."""
        return sum(len(text.split()) for text in self.texts)


class Listener:
    """Voice activity as the daemon has it by default, to say how often noise passes for speech."""

    def __init__(self, threshold: float) -> None:
        self._vad = make_vad("onnx")
        self._threshold = threshold

    def stretches(self, audio: Samples) -> int:
        """Count the stretches of speech in audio."""
        voice, state = Voice(self._threshold), self._vad.new_state()
        whole = len(audio) // FRAME * FRAME
        frames = audio[:whole].reshape(-1, FRAME).astype(np.float32) / 32768
        for frame in frames:
            (state,), chances = self._vad.step([state], frame[None])
            voice.feed(chances.tolist())
        return len(voice.stretches)


def plan(minutes: float, seed: int) -> Iterator[tuple[str, Samples]]:
    """Yield kinds and sounds: single utterances for half of the time, then streams of all kinds."""
    random = np.random.default_rng(seed)
    left = minutes * 60 / 2
    # Levels change slower than kinds and lengths, so that a short run has each kind at least once.
    for level, seconds, kind in itertools.cycle(itertools.product(LEVELS, LENGTHS, KINDS)):
        if left <= 0:
            break
        left -= seconds
        yield kind, render(kind, seconds, level, random)
    left = minutes * 60 / 2
    while left > 0:
        parts, length = [], min(STREAM_S, left)
        left -= length
        while length > 0:
            seconds = min(length, float(random.uniform(2, 20)))
            length -= seconds
            kind = str(random.choice(list(KINDS)))
            parts.append(render(kind, seconds, float(random.choice(LEVELS)), random))
        yield "stream", np.concatenate(parts)


async def listen(uri: str, minutes: float, seed: int, listener: Listener) -> dict[str, Row]:
    """Send everything to a server and gather what came of it, by kind."""
    rows = {kind: Row(kind) for kind in (*KINDS, "stream")}
    for kind, audio in plan(minutes, seed):
        row = rows[kind]
        row.minutes += len(audio) / RATE / 60
        row.stretches += await asyncio.to_thread(listener.stretches, audio)
        # A server that ends utterances itself answers amid the sound, and hears the rest anew.
        sent = 0
        while sent < len(audio):
            record = await speak(uri, audio[sent:], ASKING, BURST, patience=PATIENCE_S)
            sent += max(round(record.seconds * RATE), 1)
            row.utterances += 1
            # A partial that was taken back was shown all the same.
            texts = [record.text, *(text for _, text in record.partials)]
            if longest := max(texts, key=len):
                row.spoken += 1
                row.texts.append(longest)
            if record.failure is not None:
                row.failures.append(record.failure.code)
                break
    return rows


def markdown(rows: Sequence[Row]) -> str:
    """Return the table, with a last line for everything."""
    total = Row("all")
    for row in rows:
        total.minutes += row.minutes
        total.utterances += row.utterances
        total.stretches += row.stretches
        total.spoken += row.spoken
        total.texts += row.texts
        total.failures += row.failures
    lines = [
        "| sound | minutes | utterances | taken for speech | with words | words | errors |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.kind} | {row.minutes:.1f} | {row.utterances} | {row.stretches} | {row.spoken} "
        f"| {row.words} | {len(row.failures)} |"
        for row in (*rows, total)
    ]
    return "\n".join(lines)


async def run(options: argparse.Namespace) -> list[Row]:
    """Measure the running server, or one that is started for it."""
    listener = Listener(options.threshold)
    if options.serve is None:
        rows = await listen(options.uri, options.minutes, options.seed, listener)
    else:
        async with ours(options.serve).start() as daemon:
            rows = await listen(daemon.uri, options.minutes, options.seed, listener)
    return list(rows.values())


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.noise", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--uri", help="a running server")
    where.add_argument("--serve", metavar="ARGS", help="start our daemon with these arguments")
    add("--minutes", type=float, default=30.0, metavar="M", help="of audio (%(default)s)")
    add("--seed", type=int, default=1, help="of the sounds (%(default)s)")
    add("--threshold", type=float, default=0.5, help="of voice activity (%(default)s)")
    add("--json", type=Path, metavar="OUT", help="write the rows with all texts")
    options = parser.parse_args(argv)
    rows = asyncio.run(run(options))
    print(markdown(rows))
    for row in rows:
        for text in row.texts:
            print(f"{row.kind}: {text}")
    if options.json:
        content = [{**asdict(row), "words": row.words} for row in rows]
        options.json.write_text(json.dumps(content, ensure_ascii=False, indent=1))
    return 1 if any(row.words or row.failures for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
