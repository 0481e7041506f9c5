"""All options of all rooms, once each: what the file, the environment and the flags may say."""

from wyoming_streamwhisper.core.options import Streaming
from wyoming_streamwhisper.engine.options import EngineOptions, ModelOptions
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.log import LogOptions
from wyoming_streamwhisper.option import Option, declared
from wyoming_streamwhisper.server.discovery import DiscoveryOptions
from wyoming_streamwhisper.server.http.options import HttpOptions
from wyoming_streamwhisper.server.options import WyomingOptions
from wyoming_streamwhisper.session.context import ContextOptions
from wyoming_streamwhisper.session.profile import Profile

# in the order in which people read them, in the help as in the example
ROOMS: dict[str, tuple[type[object], ...]] = {
    "Model": (ModelOptions,),
    "Engine": (EngineOptions,),
    "Recognition (each profile may have its own)": (Profile, Streaming),
    "Files": (FileOptions,),
    "Memory of satellites": (ContextOptions,),
    "Wyoming server": (WyomingOptions,),
    "HTTP server": (HttpOptions,),
    "Discovery": (DiscoveryOptions,),
    "Log": (LogOptions,),
}
"""The dataclasses that declare options, by the heading that people see above them."""

OPTIONS: dict[str, Option] = {
    o.name: o for rooms in ROOMS.values() for room in rooms for o in declared(room)
}
"""Every option by its name, which is its key in YAML; a test holds that no room repeats one."""

PROFILE_OPTIONS = frozenset(o.name for room in (Profile, Streaming) for o in declared(room))
"""Names of the options that a profile may have for itself."""
