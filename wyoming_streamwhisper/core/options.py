"""What can be chosen about the way one utterance is heard, streamed and ended."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import option


@dataclass(frozen=True, slots=True)
class Streaming:
    """Options of the streaming core; all times are seconds of audio."""

    partials: bool = option(
        True, "Send words while they are spoken; off saves work where nobody looks at them."
    )
    policy: str = option(
        "both",
        "When a word is sure enough to be sent: `alignatt` trusts one decode up to `guard` before "
        "the end of the audio, `local_agreement` what two decodes agree on, `both` asks for both.",
        choices=("alignatt", "local_agreement", "both"),
    )
    guard: float = option(
        0.3,
        "How far before the end of the audio a word must end to be sure; larger is later and "
        "more stable.",
        unit="s",
        low=0.0,
        high=3.0,
    )
    doubt: float = option(
        0.001,
        "How much may be doubted of a word that is sent: the product of the model's own doubts of "
        "it in the decodes in a row that heard it; smaller is later and more stable, 1 doubts "
        "nothing.",
        low=0.0,
        high=1.0,
    )
    step: float = option(
        0.4,
        "New speech to wait for between two partial decodes; smaller is earlier and costs more.",
        unit="s",
        low=0.1,
        high=5.0,
    )
    settle: float = option(
        0.2,
        "Silence behind speech after which the final text is computed in advance.",
        unit="s",
        low=0.06,
        high=2.0,
    )
    final: str = option(
        "free",
        "`free` decodes the end result without regard to the words already sent, so it is never "
        "worse than one pass; `consistent` never takes back a word that was sent.",
        choices=("free", "consistent"),
    )
    piece_min: float = option(
        0.0,
        "Length from which an utterance may be closed piece by piece, where a sentence ends or in "
        "a pause; 0 takes what the model recommends, or 8 s. Shorter is cheaper and gives the "
        "model less to see at once.",
        unit="s",
        low=0.0,
        high=24.0,
    )
    piece_pause: float = option(
        0.8,
        "Length of a pause that closes a piece even within a sentence; the longer the piece, the "
        "shorter the pause.",
        unit="s",
        low=0.2,
        high=5.0,
    )
    piece_max: float = option(
        24.0,
        "Length at which a piece is closed even without a pause, between two words.",
        unit="s",
        low=5.0,
        high=28.0,
    )
    carry_text: bool = option(
        True,
        "Let the model read what was said before a piece, so that names and style go on; never "
        "done with a model that declares that it is led astray by it.",
    )
    endpointing: str = option(
        "off",
        "Who finds the end of speech: `off` waits for the client, `early` answers as soon as the "
        "end is sure while the client may still end it, `own` tells clients not to look for it.",
        choices=("off", "early", "own"),
    )
    end_complete: float = option(
        0.3,
        "Our own endpointing: silence that ends an utterance whose text is surely a sentence. "
        "The sensitivity scales it; with `relaxed` `end_silence` counts instead.",
        unit="s",
        low=0.1,
        high=10.0,
    )
    end_silence: float = option(
        0.7,
        "Our own endpointing: silence that ends an utterance whose text does not say whether it is "
        "whole (one word, a doubtful sentence). The sensitivity scales it.",
        unit="s",
        low=0.2,
        high=10.0,
    )
    end_unfinished: float = option(
        1.1,
        "Our own endpointing: silence that ends an utterance whose text stops amid a sentence, and "
        "so any text of a model that writes no full stops. The sensitivity scales it.",
        unit="s",
        low=0.2,
        high=10.0,
    )
    end_latest: float = option(
        60.0,
        "Endpointing `own`: longest utterance, for nobody else ends one in a room that is never "
        "quiet.",
        unit="s",
        low=5.0,
        high=3600.0,
    )
    no_speech_timeout: float = option(
        10.0,
        "Endpointing `own`: answer with an empty text when no word was heard for so long.",
        unit="s",
        low=1.0,
        high=120.0,
    )
    vad_threshold: float = option(
        0.5,
        "Probability from which a stretch of audio counts as speech; lower hears more and takes "
        "more noise for speech.",
        low=0.05,
        high=0.95,
    )
