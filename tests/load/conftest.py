"""What benches stand on; an instance of its own, so that no other test's load is measured."""

import pytest

from tests import infrastructure
from tests.infrastructure import Infrastructure
from tests.load import ground
from tests.load.judging import Bench


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `just bench` takes."""
    bench = parser.getgroup("bench")
    bench.addoption(
        "--check",
        action="store_true",
        help="five rounds, held against the targets of docs/capacity.md; exit 1 if one is worse",
    )


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Bench:
    """This module's bench; its name is the module's."""
    name = request.path.stem.removeprefix("test_")
    return Bench(name, check=bool(request.config.getoption("--check", default=False)))


@pytest.fixture(scope="session")
def place() -> Infrastructure:
    """The broker and the database of the benches."""
    return infrastructure.running(ground.INSTANCE)
