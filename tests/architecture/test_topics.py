"""What the contract says of readers and groups is what services register when they are built."""

import pytest

from contracts.topics import GROUPS, TOPICS
from tools import readers

pytestmark = pytest.mark.unit


def test_the_contract_names_those_who_read() -> None:
    written = readers.written()

    assert readers.FILE.read_text(encoding="utf-8") == written, "run python -m tools.readers"


def test_every_topic_is_read_and_no_other() -> None:
    assert {topic.name for topic in TOPICS} == {one.topic for one in readers.readings()}


def test_no_two_services_join_one_group() -> None:
    assert len(GROUPS) == len(set(GROUPS))
    assert list(GROUPS) == readers.groups()


def test_a_group_bears_its_services_name() -> None:
    """`replay` asks the service that a group's name begins with."""
    owners = {group: name for name, one in readers.built().items() for group in one.groups}

    assert {group: group.partition(".")[0] for group in owners} == owners


def test_a_reader_is_no_group() -> None:
    """A reader sets nothing aside, so it has no dead letters that somebody could look for."""
    assert not {reader for one in readers.built().values() for reader in one.readers} & set(GROUPS)
