"""What every test may ask for: real Kafka and PostgreSQL, each session alone in its part of them.

Also refuses to collect a module that does not say what kind of test it holds.
"""

import asyncio
import gc
import secrets
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from tests import infrastructure
from tests.infrastructure import Infrastructure, TestDatabase
from tests.workers import ByPlatform

# What an example takes is the machine's affair: a deadline would judge who else works on it.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Draws the same examples at every run of the same test. What chance finds in a run of everything
# was there before the change that is tested, and would refuse that one: chance is for a longer run,
# whose find becomes an example of its own.
settings.register_profile("peakdesk", _PATIENT, derandomize=True)
settings.register_profile("chance", _PATIENT)
settings.load_profile("peakdesk")

KINDS = ("fault", "journey", "load", "integration", "unit")
"""In the order they run: the longest first, so that no worker is alone with one at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `just prove` and `just bench` both take."""
    parser.addoption(
        "--rounds",
        type=int,
        help="prove: play each fault so often, with other seeds; bench: measure each side so often",
    )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Deal tests out to the workers."""
    return ByPlatform(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among thousands of tests, neither while they are collected nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the KINDS in order; fail the run if a module does not carry exactly one of them."""
    wrong = {}
    kind: dict[pytest.Item, str] = {}
    for item in items:
        kinds = {mark.name for mark in item.iter_markers()}.intersection(KINDS)
        kind[item] = next(iter(kinds), "")
        if len(kinds) != 1:
            wrong[item.location[0]] = sorted(kinds)
    if wrong:
        found = "; ".join(f"{path} has {kinds or 'none'}" for path, kinds in wrong.items())
        raise pytest.UsageError(
            f"Each test module sets exactly one mark of {', '.join(sorted(KINDS))}: {found}."
        )
    items.sort(key=lambda item: KINDS.index(kind[item]))


@pytest.fixture(scope="session")
def infra() -> Infrastructure:
    """The real Kafka and PostgreSQL of this checkout's test instance, started if need be."""
    return infrastructure.running()


@pytest.fixture(scope="session")
def kafka_prefix(infra: Infrastructure) -> Iterator[str]:
    """A prefix for topics and groups that no other session uses; its topics are deleted after."""
    prefix = f"t{secrets.token_hex(4)}."
    yield prefix
    asyncio.run(infrastructure.delete_topics(infra, prefix))


@pytest.fixture(scope="session")
def database(infra: Infrastructure) -> Iterator[TestDatabase]:
    """A fresh database with an empty schema and a role per service: `database.dsn("orders")`."""
    fresh = asyncio.run(infrastructure.create_database(infra))
    yield fresh
    asyncio.run(infrastructure.drop_database(infra, fresh.name))


@pytest.fixture(scope="session")
def pg_dsn(database: TestDatabase) -> str:
    """The same database as its owner, who may create schemas and is no superuser."""
    return database.dsn(infrastructure.OWNER)
