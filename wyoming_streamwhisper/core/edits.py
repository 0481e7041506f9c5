"""How far two texts are apart, in words."""

from collections.abc import Sequence

import numpy as np


def distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the least number of words to insert, delete or replace (Levenshtein)."""
    # Row by row in numpy: an hour has ten thousand words, and pure Python would take a minute.
    numbers: dict[str, int] = {}
    ours = [numbers.setdefault(word, len(numbers)) for word in a]
    theirs = np.array([numbers.setdefault(word, len(numbers)) for word in b], np.int64)
    places = np.arange(len(theirs) + 1)
    row = places
    for number, word in enumerate(ours, 1):
        replaced = row[:-1] + (theirs != word)
        best = np.concatenate([[number], np.minimum(replaced, row[1:] + 1)])
        # An insertion costs one a place, from the best place before.
        row = np.minimum.accumulate(best - places) + places
    return int(row[-1])
