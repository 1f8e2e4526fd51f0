"""What benches stand on; an instance of its own, so that no other test's load is measured."""

import itertools
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import infrastructure
from tests.infrastructure import Infrastructure
from tests.load import ground, judging, warming
from tests.load.checkout import Checkout
from tests.load.judging import Bench

AGAINST = "--against"
"""With `=`, as the justfile writes it: pytest reads a folder that stands alone as one of tests."""

OTHER = "other"
"""The fixture that tests against another checkout ask for."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `just bench` takes."""
    bench = parser.getgroup("bench")
    bench.addoption(
        "--check",
        action="store_true",
        help="five rounds, held against the targets of docs/capacity.md; exit 1 if one is worse",
    )
    bench.addoption(
        AGAINST,
        type=Path,
        metavar="FOLDER",
        help="compare with another checkout, whose `./peakdesk check` has made its environment",
    )
    bench.addoption(
        "--against-port", type=int, help="first of 50 ports for the other checkout's instance"
    )
    bench.addoption(
        "--warm-up",
        type=float,
        default=warming.SECONDS,
        help="seconds of traffic before the first measurement",
    )
    bench.addoption(
        "--rates",
        type=lambda text: tuple(map(float, text.split(","))),
        default=judging.RATES,
        help="against another checkout: messages a second, such as 800,2000",
    )
    bench.addoption(
        "--highest", action="store_true", help="against another checkout: the highest rate as well"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With another checkout only what compares with it is run, without one only the rest."""
    wanted = config.getoption(AGAINST, default=None) is not None
    here = Path(__file__).parent

    def is_left_out(item: pytest.Item) -> bool:
        compares = OTHER in getattr(item, "fixturenames", ())
        return here in item.path.parents and compares is not wanted

    config.hook.pytest_deselected(items=list(filter(is_left_out, items)))
    items[:] = itertools.filterfalse(is_left_out, items)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Bench:
    """This module's bench; its name is the module's."""
    asked = request.config.getoption
    return Bench(
        request.path.stem.removeprefix("test_"),
        check=bool(asked("--check", default=False)),
        chosen_rounds=asked("--rounds", default=None),
        warm_up_s=asked("--warm-up", default=warming.SECONDS),
        rates=asked("--rates", default=judging.RATES),
        highest=bool(asked("--highest", default=False)),
    )


@pytest.fixture
def other(request: pytest.FixtureRequest) -> Checkout:
    """The checkout to compare with."""
    folder: Path = request.config.getoption(AGAINST)
    found = Checkout(folder.resolve(), request.config.getoption("--against-port"))
    if found.complaint is not None:
        pytest.fail(found.complaint, pytrace=False)
    return found


@pytest.fixture(autouse=True)
def ends_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end a bench as Ctrl-C does: what it has started is taken down."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def place() -> Infrastructure:
    """The broker and the database of the benches."""
    return infrastructure.running(ground.INSTANCE)
