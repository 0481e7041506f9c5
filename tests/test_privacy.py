"""Nothing leaves the machine, not even through the libraries."""

import os
import subprocess
import sys
from pathlib import Path


def test_onnx_runtime_does_not_report_to_its_maker(tmp_path: Path) -> None:
    code = "from wyoming_streamwhisper.engine.silero import make_vad; make_vad('onnx')"
    # It does not report from tests either, as far as it sees that they are some.
    quiet = {"CI", "ORT_DISABLE_TELEMETRY", "PYTEST_CURRENT_TEST"}
    environ = {name: value for name, value in os.environ.items() if name not in quiet}
    cache = {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env={**environ, **cache}, check=True)
    # The identifier of this machine and the reports to be sent would be here.
    assert list(tmp_path.iterdir()) == []
