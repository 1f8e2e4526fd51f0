"""Consumer groups on a real broker: shown as they stand, set elsewhere only while nobody is in."""

import asyncio
from pathlib import Path

import pytest

from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from kit.bus.ports import Consumer, Message, TopicPartition
from launcher.errors import LaunchError
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.kafka import groups
from launcher.kafka.groups import GroupLine
from tests.infrastructure import Infrastructure
from tests.waiting import eventually

pytestmark = pytest.mark.integration

GROUP, TOPIC = "orders.settlements", "cases"
KEYS = ("a", "b", "c", "d", "e")
"""Of these, both partitions get some."""
MANY = 40


@pytest.fixture
def prefix(kafka_prefix: str) -> str:
    """A prefix below which no service of another test reads."""
    return f"{kafka_prefix}groups."


@pytest.fixture
def known(
    infra: Infrastructure, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Instance:
    """An instance whose broker is that of the tests, where a group has read half of a topic."""
    monkeypatch.setattr(groups, "_bus", lambda _: bus(infra, prefix))
    asyncio.run(_told(bus(infra, prefix)))
    return Instance(tmp_path, "test", Ports(7300), brokers=1, durable=False)


def bus(infra: Infrastructure, prefix: str) -> KafkaBus:
    return KafkaBus(infra.bootstrap_servers, prefix=prefix, client_id="group-tests")


async def _told(told: KafkaBus) -> None:
    await create_topics(told.connection, [NewTopic(TOPIC, 2)])
    producer = told.producer()
    await producer.start()
    for number in range(MANY):
        await producer.send(Message(TOPIC, KEYS[number % len(KEYS)].encode(), b"{}"))
    await producer.stop()
    member = await _joined(told)
    await member.commit(dict.fromkeys(member.assignment(), 3))
    await member.stop()
    await told.close()


async def _joined(told: KafkaBus) -> Consumer:
    """Join the group and wait until it has been given both partitions."""
    member = told.group_consumer([TOPIC], group=GROUP)
    await member.start()

    async def given() -> bool:
        await member.getmany(50, max_records=1)
        return len(member.assignment()) == 2

    await eventually(given, within=30)
    return member


def shown(known: Instance) -> GroupLine:
    (line,) = groups.lines(known, [GROUP])
    return line


def positions(known: Instance) -> dict[TopicPartition, int | None]:
    return {place.tp: place.position for place in shown(known).places}


def test_a_group_is_shown_and_set_elsewhere_while_nobody_is_in_it(known: Instance) -> None:
    both = [TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)]
    line = shown(known)
    ends = {place.tp: place.end for place in line.places}
    assert (line.state, line.members) == ("Empty", ())
    assert positions(known) == dict.fromkeys(both, 3)
    assert line.lag == sum(ends.values()) - 6 > 0

    wanted = groups.moves(known, GROUP, "earliest")
    assert [(move.tp, move.position, move.to) for move in wanted] == [(tp, 3, 0) for tp in both]
    assert positions(known) == dict.fromkeys(both, 3), "what is only asked changes nothing"
    groups.carry_out(known, GROUP, wanted)
    assert positions(known) == dict.fromkeys(both, 0)
    assert groups.moves(known, GROUP, "2020-01-01T00:00:00Z") == [], "it stands there already"

    groups.carry_out(known, GROUP, groups.moves(known, GROUP, "2100-01-01T08:00:00+08:00"))
    assert positions(known) == ends
    assert shown(known).lag == 0

    groups.carry_out(known, GROUP, groups.moves(known, GROUP, f"{TOPIC}/1@2"))
    assert positions(known) == ends | {both[1]: 2}
    with pytest.raises(LaunchError, match=r"holds 0 to \d+: 1000000 lies outside"):
        groups.moves(known, GROUP, f"{TOPIC}/1@1000000")
    with pytest.raises(LaunchError, match="does not read staff/0"):
        groups.moves(known, GROUP, "staff/0@0")


def test_a_group_with_members_is_shown_and_stays_where_it_is(
    known: Instance, infra: Infrastructure, prefix: str
) -> None:
    wanted = groups.moves(known, GROUP, "earliest") or groups.moves(known, GROUP, "latest")

    async def meanwhile() -> None:
        told = bus(infra, prefix)
        member = await _joined(told)
        line = await asyncio.to_thread(shown, known)
        assert [one.client_id for one in line.members] == ["group-tests"]
        assert line.members[0].partitions == tuple(place.tp for place in line.places)
        with pytest.raises(LaunchError, match=r"has 1 members \(group-tests\).*--infrastructure"):
            await asyncio.to_thread(groups.moves, known, GROUP, "latest")
        with pytest.raises(LaunchError, match=f"Somebody has joined {GROUP} meanwhile"):
            await asyncio.to_thread(groups.carry_out, known, GROUP, wanted)
        await member.stop()
        await told.close()

    before = positions(known)
    asyncio.run(meanwhile())

    assert positions(known) == before


def test_a_group_that_never_read_is_shown_and_cannot_be_set(known: Instance) -> None:
    (line,) = groups.lines(known, ["aftersales.tasks"])

    assert (line.state, line.members, line.places, line.lag) == ("Dead", (), (), 0)
    with pytest.raises(LaunchError, match="has read nothing yet"):
        groups.moves(known, "aftersales.tasks", "latest")
