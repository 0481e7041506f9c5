"""One Wyoming connection: reads events and gives them to those who know what to do.

Three tasks: the reader (this file's `run`), the engine's work behind the utterance, and the task
that writes the answer. The reader waits for an answer only where the next utterance begins, so
`describe` and `ping` are answered while one is heard or decoded.
"""

import logging

from wyoming.event import Event
from wyoming.info import Info
from wyoming.ping import Pong

from wyoming_streamwhisper.server.exchange import Exchange
from wyoming_streamwhisper.server.info import make_info
from wyoming_streamwhisper.server.messages import Invalid, read_name, read_ping
from wyoming_streamwhisper.server.peer import Peer
from wyoming_streamwhisper.server.wire import WireError
from wyoming_streamwhisper.session.profile import Profile
from wyoming_streamwhisper.session.session import Session

_LOG = logging.getLogger(__name__)


class Connection:
    """Serves one peer until it leaves, stays silent for too long or breaks the protocol."""

    def __init__(
        self, peer: Peer, session: Session, profile: Profile, *, satellite: str = ""
    ) -> None:
        """Serve `profile` unless the client chooses another; `satellite` names who speaks here."""
        self._peer = peer
        self._session = session
        # Without a name the satellite is the connection itself, and its memory ends with it.
        self._own = "" if satellite else peer.name
        self._exchange = Exchange(peer, session, profile, satellite or peer.name)
        peer.hear(self._exchange.hear)

    async def run(self) -> None:
        """Serve the peer; never raises for what it does."""
        _LOG.debug("%s: connected", self._peer.label)
        try:
            await self._converse()
        except ConnectionError:
            _LOG.debug("%s: gone", self._peer.label)
        except Exception:  # noqa: BLE001 - a fault of ours must not look like silence
            _LOG.exception("%s: could not go on", self._peer.label)
            await self._peer.complain("internal-error", "the server made a mistake")
        finally:
            await self._exchange.forget()
            if self._own:
                self._session.forget(self._own)
            await self._peer.close()

    async def _converse(self) -> None:
        try:
            while (event := await self._next_event()) is not None:
                try:
                    await self._handle(event)
                except Invalid as error:
                    await self._peer.complain(error.code, str(error))
            # The peer may only have stopped sending: it still gets its answer.
            await self._exchange.settle()
        except WireError as error:
            await self._exchange.settle()
            await self._peer.complain(error.code, error.text)
        except TimeoutError:
            if self._exchange.listening:
                await self._exchange.forget()
                await self._peer.complain("idle-timeout", "no further audio came")

    async def _next_event(self) -> Event | None:
        while True:
            try:
                return await self._peer.next_event()
            except TimeoutError:
                # Whoever waits for an answer is not idle, unless audio should have come.
                if not self._exchange.busy or self._exchange.listening:
                    raise

    async def _handle(self, event: Event) -> None:
        match event.type:
            case "audio-chunk":
                await self._exchange.chunk(event)
            case "audio-start":
                await self._exchange.begin(event)
            case "audio-stop":
                await self._exchange.stop()
            # Misspelt so by the library until its version 1.3.
            case "transcribe" | "transcibe":
                await self._exchange.ask(event)
            case "describe":
                await self._peer.write(self._info().event())
            case "ping":
                await self._peer.write(Pong(text=read_ping(event)).event())
            case "select-program":
                name = read_name(event)
                self._exchange.profile = self._exchange.program(name, "unknown-program")
            case _:
                _LOG.debug("%s: ignored event %.40r", self._peer.label, event.type)

    def _info(self) -> Info:
        profiles = self._session.profiles.values()
        return make_info(self._exchange.profile, profiles, self._session.info)
