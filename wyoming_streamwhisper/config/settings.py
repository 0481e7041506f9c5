"""Every option of the daemon, checked and grouped by the room that it is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from wyoming_streamwhisper.config.arguments import read_arguments
from wyoming_streamwhisper.config.document import Document, read_document
from wyoming_streamwhisper.config.environment import CONFIG_VARIABLE, read_environment
from wyoming_streamwhisper.config.values import UNSET, ConfigError, Given, did_you_mean, read
from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.engine.models import ModelOptions
from wyoming_streamwhisper.engine.options import EngineOptions
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.log import LogOptions
from wyoming_streamwhisper.option import declared
from wyoming_streamwhisper.server.discovery import DiscoveryOptions
from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.options import WyomingOptions
from wyoming_streamwhisper.session.context import ContextOptions
from wyoming_streamwhisper.session.profile import Profile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """What was chosen; nobody behind this point doubts a value."""

    model: ModelOptions = field(default_factory=ModelOptions)
    engine: EngineOptions = field(default_factory=EngineOptions)
    profiles: tuple[Profile, ...] = (Profile(),)
    """At least one; the first is what a client gets that asks for none."""
    files: FileOptions = field(default_factory=FileOptions)
    contexts: ContextOptions = field(default_factory=ContextOptions)
    wyoming: WyomingOptions = field(default_factory=WyomingOptions)
    http: HttpOptions = field(default_factory=HttpOptions)
    discovery: DiscoveryOptions = field(default_factory=DiscoveryOptions)
    log: LogOptions = field(default_factory=LogOptions)


def load(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Gather file, environment and flags, the later winning over the earlier for each option."""
    return gather(*read_arguments(argv), environ)


def gather(flags: Mapping[str, Given], path: str, environ: Mapping[str, str]) -> Settings:
    """Gather file, environment and flags that were read already."""
    path = path or environ.get(CONFIG_VARIABLE, "")
    document = read_document(path) if path not in UNSET else Document()
    # for each option what stands last wins, whole: a list is replaced, not added to
    given = {**document.options, **read_environment(environ), **flags}
    # the only options that name each other
    wyoming = _build(WyomingOptions, given)
    profiles = _profiles(given, document.profiles)
    _check_listeners(wyoming, profiles, given)
    return Settings(
        model=_build(ModelOptions, given),
        engine=_build(EngineOptions, given),
        profiles=profiles,
        files=_files(given),
        contexts=_build(ContextOptions, given),
        wyoming=wyoming,
        http=_build(HttpOptions, given),
        discovery=_build(DiscoveryOptions, given),
        log=_build(LogOptions, given),
    )


def _build(room: type[T], given: Mapping[str, Given]) -> T:
    return room(**{o.name: read(o, given[o.name]) for o in declared(room) if o.name in given})


def _profiles(
    given: Mapping[str, Given], named: Mapping[str, Mapping[str, Given]]
) -> tuple[Profile, ...]:
    """Build each named profile on what is said for all of them, or the only one."""
    return tuple(
        _profile(name, {**given, **own}) for name, own in (named or {"default": {}}).items()
    )


def _profile(name: str, given: Mapping[str, Given]) -> Profile:
    values = {o.name: read(o, given[o.name]) for o in declared(Profile) if o.name in given}
    streaming = _build(Streaming, given)
    if streaming.piece_min > streaming.piece_max:
        where = (given.get("piece_min") or given["piece_max"]).where
        raise ConfigError(
            f"{where} makes piece_min {streaming.piece_min:g} s, "
            f"expected at most piece_max, which is {streaming.piece_max:g} s"
        )
    return Profile(name=name, streaming=streaming, **values)


def _files(given: Mapping[str, Given]) -> FileOptions:
    files = _build(FileOptions, given)
    if found := files.conflict:
        name, expected = found
        raise ConfigError(f"{given[name].where} is {getattr(files, name):g} s, expected {expected}")
    return files


def _check_listeners(
    wyoming: WyomingOptions, profiles: tuple[Profile, ...], given: Mapping[str, Given]
) -> None:
    names = [profile.name for profile in profiles]
    uris = [listener.uri for listener in wyoming.uris]
    for listener in wyoming.uris:
        if uris.count(listener.uri) > 1:
            raise ConfigError(f"{given['uris'].where} names {listener.uri} twice, expected once")
        if listener.profile and listener.profile not in names:
            raise ConfigError(
                f"{given['uris'].where} gives {listener.uri} the profile {listener.profile!r}, "
                f"expected one of {', '.join(names)}{did_you_mean(listener.profile, names)}"
            )
