"""What can be chosen about the way recordings are cut and decoded."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import option


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
