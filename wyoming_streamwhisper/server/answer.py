"""Writes one utterance's events as Wyoming's streaming transcript.

The chunks since the last `transcript-start` are always the text so far, and at the end exactly the
transcript. A text that takes words back opens a new revision with a `transcript-start` of its own.
"""

from typing import Any

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Eventable

from wyoming_streamwhisper.core.rung import Rung
from wyoming_streamwhisper.server.peer import Peer
from wyoming_streamwhisper.session.events import Failed, Final, Partial
from wyoming_streamwhisper.session.utterance import Utterance


class Answer:
    """The transcript of one utterance on its way to one client."""

    def __init__(self, peer: Peer, context: dict[str, Any], *, streaming: bool) -> None:
        """Prepare; without `streaming` only the transcript itself is sent."""
        self._peer = peer
        self._context = context
        self._streaming = streaming
        self._rung = Rung.ALL
        self._revision: int | None = None
        self._sent = ""

    async def follow(self, utterance: Utterance) -> None:
        """Send everything until the outcome, which is exactly one transcript or error.

        Raises:
            ConnectionError: the peer is gone.

        """
        async for event in utterance.events():
            self._rung = utterance.rung
            match event:
                case Partial(text, revision) if text:
                    await self._show(text, revision)
                case Final():
                    await self.finish(event)
                case Failed(code, message):
                    await self._peer.complain(code, message)

    async def finish(self, final: Final) -> None:
        """Send the rest of the text, the transcript and, behind it, the end of the stream."""
        await self._show(final.text, final.revision)
        await self._send(
            Transcript(
                text=final.text,
                language=final.language or None,
                context=self._context or None,
            )
        )
        if self._streaming:
            await self._send(TranscriptStop())

    async def _show(self, text: str, revision: int) -> None:
        if not self._streaming:
            return
        if revision != self._revision:
            self._revision, self._sent = revision, ""
            await self._send(TranscriptStart(context=self._about(revision)))
        if more := text[len(self._sent) :]:
            self._sent = text
            await self._send(TranscriptChunk(text=more))

    def _about(self, revision: int) -> dict[str, Any]:
        """Say which text begins, and what is left out because there is too much to do."""
        return {"revision": revision, **({"load": self._rung.label} if self._rung else {})}

    async def _send(self, message: Eventable) -> None:
        await self._peer.write(message.event())
