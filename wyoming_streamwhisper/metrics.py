"""What the daemon counts and times, in a registry of its own that `/metrics` exports.

Any room may add to it; it knows no room. Figures only: never what was said, and no label that a
client can choose, so that neither privacy nor the number of series depends on who connects.
To observe costs about a microsecond; labelled children are looked up once, not for each decode.
"""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

# A creation time for each series would double what is exported.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
# Memory and CPU time of the process: whether it grows is what an operator asks first.
ProcessCollector(namespace="streamwhisper", registry=REGISTRY)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0)
_BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256)


def _counter(name: str, text: str, labels: Iterable[str] = ()) -> Counter:
    return Counter(f"streamwhisper_{name}", text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
    return Gauge(f"streamwhisper_{name}", text, labels, registry=REGISTRY)


def _histogram(
    name: str, text: str, labels: Iterable[str] = (), buckets: Iterable[float] = _SECONDS
) -> Histogram:
    return Histogram(
        f"streamwhisper_{name}", text, labels, registry=REGISTRY, buckets=tuple(buckets)
    )


# Utterances

RUNNING = _gauge("utterances_running", "Utterances under way.")
UTTERANCES = _counter(
    "utterances", "Utterances by outcome: answered, dropped, or the code of an error.", ["outcome"]
)
REFUSED = _counter("refused", "Utterances refused at their begin, by code.", ["code"])
SPEECH = _counter("speech_seconds", "Seconds of speech heard.")
ANSWER = _histogram("answer_seconds", "From the end of the audio to the outcome.")
PARTIALS = _counter("partials", "Texts sent while they were spoken.")
WORDS = _counter("words", "Words of all transcripts.")
REVISIONS = _counter("revisions", "Times that words were taken back.")

# The engine

STAGE = _histogram(
    "stage_seconds",
    "Time of a decode by stage (queued, features, encode, generate, align); the stages of a "
    "batch are counted once for each of its requests.",
    ["stage", "kind"],
)
BATCH = _histogram("batch_size", "Requests decoded together.", buckets=_BATCHES)
BUSY = _counter("busy_seconds", "Seconds in which the model was at work; its rate is the load.")
DECODED = _counter("decoded_seconds", "Seconds of audio decoded, repetitions included.", ["kind"])
WAITING = _gauge("requests_waiting", "Requests that have not begun.")
LATENESS = _gauge("lateness_seconds", "How late finals are predicted to be, for what waits now.")
RUNG = _gauge("rung", "Rung of the ladder under load, 0 where all is well (docs/protocol.md).")
CAPACITY = _gauge("capacity", "Satellites that may speak at once, as measured at the start.")
RETRIES = _counter("retries", "Answers that were not believed and asked for again.")
FAILURES = _counter("engine_failures", "Decodes that failed, by code.", ["code"])

# Evidence for short audio contexts

SHADOW_CHECKS = _counter("shadow_checks", "Finals decoded again in full context to compare.")
SHADOW_DIFFERENCES = _counter("shadow_differences", "Those whose text was another one.")


class Stages:
    """The stage times of one kind of decode; its children of `STAGE` are resolved once."""

    NAMES = ("queued", "features", "encode", "generate", "align")

    def __init__(self, kind: str) -> None:
        self._children = [STAGE.labels(stage, kind) for stage in self.NAMES]
        self._decoded = DECODED.labels(kind)

    def observe(self, seconds: Iterable[float], audio: float) -> None:
        """Add one decode: the seconds of each stage in the order of `NAMES`, and of its audio."""
        for child, spent in zip(self._children, seconds, strict=True):
            child.observe(spent)
        self._decoded.inc(audio)
