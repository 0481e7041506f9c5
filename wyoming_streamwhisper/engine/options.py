"""What can be chosen about the model: which one, and how it is run."""

from dataclasses import dataclass

from wyoming_streamwhisper.option import option


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which model, and where it is looked for."""

    model: str = option(
        "demo",
        "`demo` (embedded, home commands only), a faster-whisper name (`tiny` ... `large-v3`, "
        "`turbo`, `distil-large-v3`), a Hugging Face id, or a folder.",
    )
    data_dir: tuple[str, ...] = option(
        (), "Folders in which models are looked for before the hub is asked; may be repeated."
    )
    download_dir: str = option(
        "", "Folder for downloads; empty takes the first data folder, else the hub's own cache."
    )
    local_files_only: bool = option(False, "Never ask the hub; fail if the model is not here.")


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the model is run."""

    device: str = option(
        "auto", "Where the model runs: `auto`, `cpu`, `cuda` or `cuda:N`; auto takes a GPU if any."
    )
    compute_type: str = option(
        "default",
        "Arithmetic of the model as CTranslate2 names it (`int8`, `float16`, ...); default is "
        "int8 on a CPU and float16 on a GPU, where int8_float16 takes less of its memory.",
    )
    cpu_threads: int = option(
        0, "Threads for one decode on the CPU; 0 takes one for each core.", low=0, high=256
    )
    audio_context: str = option(
        "auto",
        "How much padding the encoder sees: `short` only the audio, which is several times "
        "faster, `full` always 30 s, `auto` what the model declares or is found to stand.",
        choices=("auto", "short", "full"),
    )
    features: str = option(
        "auto",
        "What computes the encoder's input: `numpy` on the CPU, `torch` (an extra) on the model's "
        "device; auto takes torch for a model on a GPU that torch can use.",
        choices=("auto", "numpy", "torch"),
    )
    vad: str = option(
        "onnx",
        "Voice activity detection: `onnx` comes with faster-whisper, `torch` and `cuda` (the same "
        "on the GPU) need the extra.",
        choices=("onnx", "torch", "cuda"),
    )
    max_batch: int = option(8, "Most requests that are decoded together.", low=1, high=256)
