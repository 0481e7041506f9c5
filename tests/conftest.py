"""What holds for all tests."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Machines that run tests are busy: how long an example took says nothing about the code. A check of
# a change must not fail for what it did not touch, so only people's own runs search at random.
settings.register_profile(
    "busy",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("busy")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes that a test starts be interrupted, whoever started the tests.

    A shell ignores Ctrl-C in what it runs in the background, its children inherit that, and a
    Python that begins so never raises KeyboardInterrupt.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
