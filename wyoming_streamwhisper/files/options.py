"""What can be chosen about the way recordings are cut and decoded."""

from dataclasses import dataclass, replace

from wyoming_streamwhisper.option import declared, option

_GAIN = 1.0
"""Seconds that a chunk must bring beyond what it shares."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How files are transcribed; all times are seconds of audio."""

    chunk_duration: float = option(
        0.0,
        "Cut files every so many seconds, whatever is said there; 0 cuts them in pauses, which is "
        "better and faster.",
        unit="s",
        low=0.0,
        high=28.0,
    )
    overlap_duration: float = option(
        2.0,
        "What two chunks of a file share where they are not cut in a pause; both texts are "
        "aligned there, so that no word is lost or doubled.",
        unit="s",
        low=0.0,
        high=10.0,
    )
    min_chunk_duration: float = option(
        0.0,
        "Length from which a chunk of a file may end in a pause; 0 takes what the model "
        "recommends, or 8 s.",
        unit="s",
        low=0.0,
        high=24.0,
    )
    max_chunk_duration: float = option(
        0.0,
        "Length at which a chunk of a file ends even without a pause; 0 takes what costs least.",
        unit="s",
        low=0.0,
        high=28.0,
    )
    max_workers: int = option(
        0,
        "Chunks of a file that are decoded side by side; 0 takes what suits the machine, one "
        "where a daemon serves satellites too.",
        low=0,
        high=64,
    )
    use_context: bool = option(
        False,
        "Let the model read the text of the chunk before, so that names and style go on; chunks "
        "are then decoded one after the other.",
    )

    @property
    def conflict(self) -> tuple[str, str] | None:
        """Return the option that does not go with another one, and what is expected of it."""
        for longest in ("chunk_duration", "max_chunk_duration"):
            seconds = getattr(self, longest)
            if seconds and seconds < self.overlap_duration + _GAIN:
                shared = f"overlap_duration, which is {self.overlap_duration:g} s"
                return longest, f"at least {_GAIN:g} s more than {shared}"
        if self.max_chunk_duration and self.min_chunk_duration > self.max_chunk_duration:
            most = f"max_chunk_duration, which is {self.max_chunk_duration:g} s"
            return "min_chunk_duration", f"at most {most}"
        return None

    def changed(self, **asked: float | bool | None) -> "FileOptions":
        """Return them as one recording asks for; None leaves an option as it is.

        Raises:
            ValueError: a value is out of its range, or two do not go together.

        """
        chosen = {name: value for name, value in asked.items() if value is not None}
        options = replace(self, **chosen)  # type: ignore[arg-type]
        for one in declared(FileOptions):
            value, low, high = getattr(options, one.name), one.declared.low, one.declared.high
            if low is not None and high is not None and not low <= value <= high:
                raise ValueError(f"{one.name} is {value:g}, expected {low:g} to {high:g}")
        if found := options.conflict:
            name, expected = found
            raise ValueError(f"{name} is {getattr(options, name):g} s, expected {expected}")
        return options
