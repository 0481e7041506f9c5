"""Which daemons there are on the network, and what each one offers."""

import asyncio
from dataclasses import dataclass

from wyoming.error import Error
from wyoming.info import AsrProgram, Describe, Info
from zeroconf import InterfaceChoice, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from wyoming_streamwhisper.client.link import Unreachable, link

SERVICE = "_wyoming._tcp.local."
ANSWER_S = 5.0
"""Home Assistant gives a daemon as long before it calls it broken."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """One announced service; without `info` it is announced but does not answer."""

    name: str
    uri: str
    info: Info | None
    problem: str = ""


async def describe(uri: str, wait: float = ANSWER_S) -> Info:
    """Ask a daemon what it offers; raises Unreachable."""
    try:
        async with asyncio.timeout(wait), link(uri) as client:
            await client.write_event(Describe().event())
            while event := await client.read_event():
                if Info.is_type(event.type):
                    return Info.from_event(event)
                if Error.is_type(event.type):
                    raise Unreachable(f"{uri} answers: {Error.from_event(event).text}")
    except TimeoutError as error:
        raise Unreachable(f"{uri} did not describe itself within {wait:.0f} s") from error
    except (OSError, asyncio.IncompleteReadError) as error:
        raise Unreachable(f"{uri} hung up") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise Unreachable(f"{uri} does not speak Wyoming") from error
    raise Unreachable(f"{uri} hung up")


async def discover(
    wait: float, interfaces: InterfaceChoice | list[str] = InterfaceChoice.All
) -> list[Daemon]:
    """List what is announced within `wait` seconds, each asked what it offers."""
    names: set[str] = set()

    def changed(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            names.discard(name)
        else:
            names.add(name)

    async with AsyncZeroconf(interfaces=interfaces) as zeroconf:
        async with AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[changed]):
            await asyncio.sleep(wait)
        found = [_resolve(zeroconf, name) for name in sorted(names)]
        return [daemon for daemon in await asyncio.gather(*found) if daemon is not None]


async def _resolve(zeroconf: AsyncZeroconf, name: str) -> Daemon | None:
    service = AsyncServiceInfo(SERVICE, name)
    if not await service.async_request(zeroconf.zeroconf, 3000):
        return None  # Gone again since it was announced.
    short = name.removesuffix(f".{SERVICE}")
    problem, uri = "it announces no address", ""
    for address in service.parsed_scoped_addresses():  # IPv4 first
        uri = f"tcp://[{address}]:{service.port}" if ":" in address else _tcp(address, service.port)
        try:
            return Daemon(short, uri, await describe(uri))
        except Unreachable as error:
            problem = str(error)
    return Daemon(short, uri, None, problem)


def _tcp(address: str, port: int | None) -> str:
    return f"tcp://{address}:{port}"


def readable(info: Info) -> list[str]:
    """Write a daemon's programs, models and languages for a person."""
    if not info.asr:
        return ["no speech-to-text program"]
    return [line for program in info.asr for line in _program(program)]


def _program(program: AsrProgram) -> list[str]:
    version = f" {program.version}" if program.version else ""
    traits = [
        "streams words" if program.supports_transcript_streaming else "final text only",
        "needs the client's end of speech"
        if program.requires_external_vad
        else "finds the end of speech itself",
        *([] if program.installed else ["not installed"]),
    ]
    lines = [f"{program.name}{version} ({', '.join(traits)})"]
    if program.description:
        lines.append(f"  {program.description}")
    for model in program.models:
        missing = "" if model.installed else ", not installed"
        languages = " ".join(model.languages)
        lines.append(f"  model {model.name}{missing}: {len(model.languages)} languages")
        lines.append(f"    {languages}")
    return lines
