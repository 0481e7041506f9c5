"""How much is measured: a run of minutes, one for publication, and one for tests."""

from dataclasses import dataclass

SETS = ("command", "command-new-voice", "pauses")
"""One utterance a clip, as voice satellites hear it; in `pauses` half a second of it is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Numbers of clips and lengths in seconds; every step that they lead to is bounded."""

    clips: int
    """Spoken to each server alone with the usual trailing silence, or until its own end."""
    clips_other: int
    """The same with each other trailing silence."""
    level_s: float
    """How long each number of satellites speaks at once, at least, ..."""
    level_utterances: int
    """... and for how many utterances, ..."""
    level_limit_s: float
    """... but no longer than this."""
    hold_s: float
    """How long satellites stay connected, listen or speak while memory and CPU are read."""
    lengths_s: tuple[float, ...]
    """Lengths of utterances, in seconds."""
    starts: int
    """How often each server is started."""
    settle_s: float = 1.0
    """Given to satellites to connect and begin before that is read."""
    usual_s: float = 0.7
    """Trailing silence that Home Assistant's detection waits for by default."""
    other_s: tuple[float, ...] = (0.0, 0.25, 1.25)
    """None; its `aggressive`, which is near the 0.2 s of pipecat's stt-benchmark; its `relaxed`."""
    own_s: float = 4.0
    """Silence behind a clip within which a server has to find the end by itself."""
    levels: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 48, 64)
    satellites: int = 8
    """How many stay connected, listen or speak while memory and CPU are read."""
    chunk_ms: int = 10
    """As Home Assistant sends."""
    patience_s: float = 20.0
    """After so long without an answer an utterance counts as an error."""
    seed: int = 0


SHORT = Settings(
    clips=8,
    clips_other=4,
    level_s=10,
    level_utterances=12,
    level_limit_s=30,
    hold_s=5,
    lengths_s=(2, 5, 15),
    starts=2,
    levels=(1, 2, 4, 6, 8, 10, 12, 16, 24, 32),
)
MEDIUM = Settings(
    clips=16,
    clips_other=6,
    level_s=15,
    level_utterances=20,
    level_limit_s=40,
    hold_s=10,
    lengths_s=(2, 5, 15, 60),
    starts=3,
    levels=(1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24),
)
FULL = Settings(
    clips=60,
    clips_other=30,
    level_s=40,
    level_utterances=60,
    level_limit_s=180,
    hold_s=20,
    lengths_s=(2, 5, 10, 20, 40, 80, 160),
    starts=5,
)
TINY = Settings(
    clips=1,
    clips_other=1,
    level_s=0.1,
    level_utterances=1,
    level_limit_s=5,
    hold_s=0.2,
    settle_s=0.1,
    lengths_s=(1,),
    starts=1,
    usual_s=0.4,
    other_s=(0.0,),
    own_s=2.0,
    levels=(1,),
    satellites=1,
)
KINDS = {"short": SHORT, "medium": MEDIUM, "full": FULL, "tiny": TINY}
