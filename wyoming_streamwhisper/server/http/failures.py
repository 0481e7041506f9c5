"""What the refusals and failures of other rooms mean for a client."""

from wyoming_streamwhisper.engine.api import EngineError
from wyoming_streamwhisper.files.reader import BadRecording
from wyoming_streamwhisper.server.http.problems import Problem
from wyoming_streamwhisper.session.asked import Refused

_STATUS = {
    "unsupported-language": 422,
    "unknown-model": 422,
    "overloaded": 503,
    "shutting-down": 503,
    "timeout": 503,
    "not-ready": 503,
    "engine-failed": 500,
    "not-audio": 415,
    "no-audio": 415,
    "empty": 400,
}
"""Status of the codes that other rooms use."""


def problem_of(error: Refused | EngineError | BadRecording) -> Problem:
    """Return what a refusal or failure of another room means for a client."""
    return Problem(_STATUS.get(error.code, 500), error.code, str(error))
