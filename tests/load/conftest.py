"""What benches stand on; an instance of its own, so that no other test's load is measured."""

import pytest

from tests import infrastructure
from tests.infrastructure import Infrastructure
from tests.load import ground


@pytest.fixture(scope="session")
def place() -> Infrastructure:
    """The broker and the database of the benches."""
    return infrastructure.running(ground.INSTANCE)
