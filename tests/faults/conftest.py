"""A platform of the faults' own, because journeys may run beside them, and what `prove` may ask."""

from collections.abc import Iterator

import pytest
import stamina

from tests import platform as platforms
from tests.platform import Platform

NAME = "faults"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `just prove chat`."""
    prove = parser.getgroup("prove", "repeat and choose faults")
    prove.addoption("--only", action="append", help="faults whose name contains this; repeatable")
    prove.addoption("--seed", type=int, help="the first round's seed")
    prove.addoption("--zone", help="time zone of the probes' shop, so that a play crosses midnight")


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """The whole platform, shared by the module."""
    stamina.instrumentation.set_on_retry_hooks(())  # hundreds of retries are what is meant here
    with platforms.lent(NAME) as lent:
        yield lent
