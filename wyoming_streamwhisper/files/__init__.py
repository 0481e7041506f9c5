"""Long recordings: read as a stream, cut in pauses, decoded side by side, joined without a seam."""

from wyoming_streamwhisper.files.job import Job, begin, transcribe
from wyoming_streamwhisper.files.options import FileOptions
from wyoming_streamwhisper.files.reader import BadRecording
from wyoming_streamwhisper.files.result import Metrics, Progress, Result, Segment

__all__ = [
    "BadRecording",
    "FileOptions",
    "Job",
    "Metrics",
    "Progress",
    "Result",
    "Segment",
    "begin",
    "transcribe",
]
