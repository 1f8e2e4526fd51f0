"""A platform of the faults' own, because journeys may run beside them."""

import pytest
import stamina

from tests import platform as platforms
from tests.platform import Platform

NAME = "faults"


@pytest.fixture(scope="session")
def platform() -> Platform:
    """The whole platform, shared by the session; it is stopped with the test instance."""
    stamina.instrumentation.set_on_retry_hooks(())  # hundreds of retries are what is meant here
    return platforms.running(NAME)
