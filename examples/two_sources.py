"""Live text of a call: what you say in blue, what the computer plays in yellow.

    python examples/two_sources.py                # Enter or Ctrl-C ends it
    python examples/two_sources.py me.wav them.wav

Each source has a stream, and so a context, of its own: two voices at once are both heard.
"""

import sys

from live import run

if __name__ == "__main__":
    sys.exit(run(__doc__, {"mic": "mic", "system": "system"}))
