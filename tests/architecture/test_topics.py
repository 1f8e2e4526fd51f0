"""What the contract says of readers and groups is what services register when they are built."""

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import pytest

from contracts.topics import GROUPS, TOPICS, Topic
from kit.service.core import Service

pytestmark = pytest.mark.unit

SERVICES: Final = ("gateway", "conversation", "orders", "aftersales", "monitor")


@cache
def built() -> Mapping[str, Service[Any]]:
    """Return every service as it is built by default: none is started."""
    apps = {name: importlib.import_module(f"services.{name}.app") for name in SERVICES}
    return {name: app.build(app.Settings()) for name, app in apps.items()}


def readings() -> Iterator[tuple[str, str, str]]:
    """Yield each reading that a service registered: service, group or reader, topic."""
    for service, one in built().items():
        for group, registered in one.groups.items():
            yield from ((service, group, topic) for topic in registered.topics)
        for reader, topics in one.readers.items():
            yield from ((service, reader, topic) for topic in topics)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_the_readers_of_a_topic_are_those_that_read_it(topic: Topic) -> None:
    reading = {service for service, _, name in readings() if name == topic.name}

    assert reading == set(topic.readers)
    assert len(topic.readers) == len(reading), "a reader is named twice"


def test_nobody_reads_a_topic_that_is_not_in_the_contract() -> None:
    known = {topic.name for topic in TOPICS}

    assert [one for one in readings() if one[2] not in known] == []


def test_the_groups_are_those_that_services_join() -> None:
    joined = [group for one in built().values() for group in one.groups]

    assert sorted(joined) == sorted(GROUPS)


def test_a_group_bears_its_services_name() -> None:
    """`replay` asks the service that a group's name begins with."""
    owners = {group: name for name, one in built().items() for group in one.groups}

    assert {group: group.partition(".")[0] for group in owners} == owners


def test_a_reader_is_no_group() -> None:
    """A reader sets nothing aside, so it has no dead letters that somebody could look for."""
    assert not {reader for one in built().values() for reader in one.readers} & set(GROUPS)
