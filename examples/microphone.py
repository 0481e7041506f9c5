"""Live text from the microphone: words that are sure are solid, those that may change are dim.

python examples/microphone.py                 # Enter or Ctrl-C ends it
python examples/microphone.py mic:2           # another device
python examples/microphone.py talk.mp3        # a file instead, as fast as it was spoken
"""

import sys

from live import run

if __name__ == "__main__":
    sys.exit(run(__doc__, {"mic": "mic"}))
