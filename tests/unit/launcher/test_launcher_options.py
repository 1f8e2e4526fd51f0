"""What the command line asks is looked at before anything is made, started or kept."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from launcher import infrastructure
from launcher.errors import LaunchError
from launcher.infrastructure import Wanted
from launcher.instance import instance, ports
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "-x", "A", "x" * 32, "x.json", "a b"])
def test_a_name_that_is_none_makes_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(LaunchError, match="is no name for an instance"):
        infrastructure.folder_of(Wanted(name, tmp_path / "home"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["default", "0", "x" * 31, "shop-2"])
def test_a_good_name_is_taken(name: str) -> None:
    instance.check_name(name)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(kafka="kafka:9092", brokers=3), "--brokers is about our Kafka"),
        (Wanted(kafka="kafka"), "host:port"),
        (Wanted(kafka="kafka:9092,"), "host:port"),
        (Wanted(kafka=""), "host:port"),
        (Wanted(database_url="mysql://h/d"), "--database-url needs the form"),
    ],
)
def test_wishes_that_cannot_be_are_refused(wanted: Wanted, said: str) -> None:
    with pytest.raises(LaunchError, match=said):
        infrastructure.check(wanted)


def test_nothing_is_left_of_the_infrastructure_when_both_are_yours() -> None:
    both = Wanted(kafka="kafka:9092", database_url="postgresql://me:pw@db/shop")

    infrastructure.check(both)
    with pytest.raises(LaunchError, match="--infrastructure-only has no work"):
        infrastructure.check(both, start_all=False)


def test_data_that_was_made_to_last_is_not_taken_for_test_data(tmp_path: Path) -> None:
    instance.save(Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True))

    with pytest.raises(LaunchError, match="made to keep its data"):
        infrastructure.open_instance(Wanted(durable=False), tmp_path)


def test_other_ports_than_the_usual_ones_are_told_with_the_reason(tmp_path: Path) -> None:
    heard: list[str] = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        infrastructure.open_instance(Wanted(name), folder, say=heard.append)

    assert heard[-1].startswith("Ports ")
    assert "not from 7300 on: " in heard[-1]


def test_instances_that_are_made_at_once_have_ports_of_their_own(tmp_path: Path) -> None:
    names = [f"trial-{number}" for number in range(6)]
    begin = Barrier(len(names))

    def make(name: str) -> int:
        begin.wait(timeout=10)
        return infrastructure.open_instance(Wanted(name), tmp_path / name).ports.base

    with ThreadPoolExecutor(len(names)) as workers:
        bases = list(workers.map(make, names))

    assert len(set(bases)) == len(names)


def test_an_instance_may_be_called_like_the_lock_of_another(tmp_path: Path) -> None:
    first = infrastructure.open_instance(Wanted("lock"), tmp_path / "lock")
    second = infrastructure.open_instance(Wanted("second"), tmp_path / "second")

    assert first.ports.base != second.ports.base


def test_a_block_that_another_instance_has_is_refused() -> None:
    reserved = {7300: "default"}

    assert ports.owner_of(Ports(7349), reserved) == "default"
    assert ports.owner_of(Ports(7350), reserved) is None
    assert (
        ports.obstacle(Ports(7310), 1, reserved) == "the instance default has ports of that block"
    )


@pytest.mark.parametrize("durable", [False, True])
def test_test_data_moves_out_of_the_way_of_another_program_and_nothing_else_does(
    tmp_path: Path, *, durable: bool
) -> None:
    wanted = Wanted("one", durable=durable)
    first = infrastructure.open_instance(wanted, tmp_path / "one").ports
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first.postgres))
        other.listen()

        heard: list[str] = []
        again = infrastructure.open_instance(wanted, tmp_path / "one", say=heard.append).ports

    assert (again == first) is durable, "whoever keeps data knows its address"
    assert bool(heard) is not durable
    assert infrastructure.open_instance(wanted, tmp_path / "one").ports == again
