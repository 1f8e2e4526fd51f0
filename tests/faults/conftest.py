"""A platform of the faults' own, because journeys may run beside them."""

from collections.abc import Iterator

import pytest
import stamina

from tests import platform as platforms
from tests.platform import Platform

NAME = "faults"


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The whole platform, shared by the session; stopped after it if the session started it."""
    ran_before = platforms.runs(NAME)
    stamina.instrumentation.set_on_retry_hooks(())  # hundreds of retries are what is meant here
    yield platforms.running(NAME)
    if not ran_before:
        platforms.stop(NAME)
