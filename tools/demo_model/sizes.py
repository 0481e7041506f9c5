"""The demo model's sizes, and those of the cost models that are made from it."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEADS, ENCODER_LAYERS, DECODER_LAYERS = 256, 4, 4, 4
MELS, AUDIO_CONTEXT, TEXT_CONTEXT = 80, 1500, 448
N_VOCAB = 51865


@dataclass(frozen=True, slots=True)
class Size:
    """What a model costs: times as wide as the demo model, and how many layers."""

    widen: int = 1
    encoder_layers: int = ENCODER_LAYERS
    decoder_layers: int = DECODER_LAYERS

    @property
    def width(self) -> int:
        """Features of a position."""
        return WIDTH * self.widen

    @property
    def heads(self) -> int:
        """Attention heads of a layer."""
        return HEADS * self.widen

    def dims(self) -> dict[str, int]:
        """Give openai-whisper's ModelDimensions."""
        return {
            "n_mels": MELS,
            "n_audio_ctx": AUDIO_CONTEXT,
            "n_audio_state": self.width,
            "n_audio_head": self.heads,
            "n_audio_layer": self.encoder_layers,
            "n_vocab": N_VOCAB,
            "n_text_ctx": TEXT_CONTEXT,
            "n_text_state": self.width,
            "n_text_head": self.heads,
            "n_text_layer": self.decoder_layers,
        }


SIZES = {
    "demo": Size(),
    "base": Size(2, 6, 6),
    "small": Size(3, 12, 12),
    "turbo": Size(5, 32, 4),
}
