"""Where a model comes from: its name, a folder, the hub's cache, the hub, or this package."""

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
