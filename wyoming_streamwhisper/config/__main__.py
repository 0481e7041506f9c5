"""Prints `config.example.yaml`."""

import sys

from wyoming_streamwhisper.config.example import example

if __name__ == "__main__":
    sys.stdout.write(example())
