"""`tokenizer.json` of multilingual Whisper, from the byte-pair ranks that openai-whisper ships."""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from .vocabulary import TOKENIZER


def byte_letters() -> dict[int, str]:
    """Give GPT-2's printable letter for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    others = [byte for byte in range(256) if byte not in letters]
    return letters | {byte: chr(256 + number) for number, byte in enumerate(others)}


def merge_of(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Find the two parts that `token` was merged from: merge as far as lower ranks allow."""
    limit = ranks[token]
    pieces = [bytes([byte]) for byte in token]
    while len(pieces) > 2:
        pairs = [pieces[i] + pieces[i + 1] for i in range(len(pieces) - 1)]
        best = min(range(len(pairs)), key=lambda i: ranks.get(pairs[i], limit))
        if ranks.get(pairs[best], limit) >= limit:
            raise ValueError(f"{token!r} is not a merge of two tokens")
        pieces[best : best + 2] = [pairs[best]]
    return pieces[0], pieces[1]


def fast_tokenizer() -> Tokenizer:
    """Build the tokenizer with Whisper's own ids."""
    ranks: dict[bytes, int] = TOKENIZER.encoding._mergeable_ranks
    letter = byte_letters()
    name = {token: "".join(letter[byte] for byte in token) for token in ranks}
    merges = []
    for token, _ in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) > 1:
            a, b = merge_of(token, ranks)
            merges.append((name[a], name[b]))
    vocab = {name[token]: rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = sorted(TOKENIZER.special_tokens.items(), key=lambda item: item[1])
    added = [AddedToken(text, special=True, normalized=False) for text, _ in special]
    tokenizer.add_special_tokens(added)
    wrong = [text for text, number in special if tokenizer.token_to_id(text) != number]
    if wrong:
        raise ValueError(f"special tokens with other ids than Whisper's: {wrong[:5]}")
    return tokenizer
