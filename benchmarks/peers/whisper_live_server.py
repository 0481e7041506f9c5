"""Starts WhisperLive's server; runs in its environment, with nothing of ours.

The package has no command of its own: this is the part of its repository's run_server.py that it
leaves out, with the options that we set.
"""

import argparse

from whisper_live.server import TranscriptionServer


def main() -> None:
    """Serve until we are ended."""
    ask = argparse.ArgumentParser()
    ask.add_argument("model")
    ask.add_argument("port", type=int)
    ask.add_argument("--batch", action="store_true")
    options = ask.parse_args()
    TranscriptionServer().run(
        "127.0.0.1",
        options.port,
        "faster_whisper",
        faster_whisper_custom_model_path=options.model,
        single_model=True,
        max_clients=1000,
        max_connection_time=36000,
        batch_enabled=options.batch,
        batch_max_admissions_per_s=1000.0,
        batch_max_queue_wait_s=1000.0,
    )


if __name__ == "__main__":
    main()
