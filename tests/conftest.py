"""What holds for all tests."""

import os

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
