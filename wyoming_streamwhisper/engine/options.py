"""What can be chosen about the way the model is run."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import option


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the model is run."""

    device: str = option(
        "auto", "Where the model runs: `auto`, `cpu`, `cuda` or `cuda:N`; auto takes a GPU if any."
    )
    compute_type: str = option(
        "default",
        "Arithmetic of the model as CTranslate2 names it (`int8`, `float16`, ...); default is "
        "int8 on a CPU and float16 on a GPU.",
    )
    cpu_threads: int = option(
        0, "Threads for one decode on the CPU; 0 takes one for each core.", low=0, high=256
    )
    audio_context: str = option(
        "auto",
        "How much padding the encoder sees: `short` only the audio, which is several times "
        "faster, `full` always 30 s, `auto` what the model is known to stand.",
        choices=("auto", "short", "full"),
    )
    vad: str = option(
        "onnx",
        "Voice activity detection: `onnx` comes with faster-whisper, `torch` needs the extra.",
        choices=("onnx", "torch"),
    )
    max_batch: int = option(8, "Most requests that are decoded together.", low=1, high=256)
