"""One engine for all wording tests: loading takes a second, and it is immutable."""

import pytest

from wording import Engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine.load()
