"""The formats that a client may send, and why another one is refused."""

import pytest

from wyoming_streamwhisper.core.audio import AudioFormat, AudioFormatError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", 7999),
        ("rate", 48001),
        ("rate", 16000.0),
        ("rate", "16000"),
        ("width", 0),
        ("width", 5),
        ("width", True),
        ("channels", 0),
        ("channels", 9),
        ("channels", None),
    ],
)
def test_an_illegal_format_names_field_value_and_what_is_allowed(field: str, value: object) -> None:
    with pytest.raises(AudioFormatError, match=f"{field} is {value!r}") as caught:
        AudioFormat(**{field: value})  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.value) == (field, value)
