"""Any format that FFmpeg reads, as a stream of samples; what is wrong with a file in one sentence."""


class BadRecording(Exception):
    """There is nothing to transcribe; the text is one sentence for people.

    `code` is `not-audio` (no format that is known), `no-audio` (no audio track), `empty` or
    `missing`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
