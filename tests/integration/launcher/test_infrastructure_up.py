"""A whole life of an instance's Kafka and PostgreSQL, and what `up` says when it cannot be."""

import asyncio
import io
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace

import asyncpg
import psutil
import pytest
from rich.console import Console

from launcher import infrastructure
from launcher.errors import LaunchError
from launcher.infrastructure import Wanted
from launcher.instance import instance, ports
from launcher.instance.instance import Instance
from launcher.instance.processes import Processes
from launcher.kafka import topics
from launcher.kafka.broker import Kafka
from launcher.postgres import addresses, database, roles
from launcher.screen import Screen

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Trial:
    """A throw-away instance of this checkout and a screen that nobody reads."""

    wanted: Wanted
    known: Instance
    screen: Screen


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    """A new instance on free ports, removed at the end with all that it started."""
    wanted = Wanted(f"trial-{secrets.token_hex(4)}", durable=False)
    folder = infrastructure.folder_of(wanted)
    screen = Screen(Console(file=io.StringIO()))
    known = infrastructure.open_instance(wanted, folder)
    yield Trial(wanted, known, screen)
    infrastructure.stop(known, screen)
    shutil.rmtree(folder)


def pids(known: Instance) -> dict[str, int | None]:
    processes = Processes(known)
    return {name: processes.pid(name) for name in infrastructure.process_names(known)}


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def fetch(known: Instance, query: str) -> object:
    connection = await asyncpg.connect(addresses.administrator(known))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def test_a_taken_port_is_named_with_a_cure(trial: Trial) -> None:
    with socket.create_server(("127.0.0.1", trial.known.ports.postgres)):
        message = f"Port {trial.known.ports.postgres}, which PostgreSQL needs, is taken"
        with pytest.raises(LaunchError, match=message):
            infrastructure.start(trial.known, trial.screen)


def test_a_user_who_may_create_roles_needs_no_superuser(trial: Trial) -> None:
    infrastructure.start(trial.known, trial.screen)
    admin = addresses.administrator(trial.known, "postgres")
    for statement in (
        "CREATE ROLE you LOGIN CREATEROLE PASSWORD 'yours'",
        "CREATE DATABASE your_shop OWNER you",
    ):
        asyncio.run(execute(admin, statement))
    url = f"postgresql://you:yours@127.0.0.1:{trial.known.ports.postgres}/your_shop"
    yours = replace(trial.known, own_database=False)
    for service in roles.DATABASE_SERVICES:
        trial.known.secret(roles.role_of(service))
    trial.known.keep_secrets(trial.known.secrets() | {addresses.YOURS: url})

    assert database.prepare(addresses.server(yours)) == "4 roles and schemas made"
    assert database.prepare(addresses.server(yours)) == "schemas are there"


def test_an_up_that_finds_a_broker_still_starting_waits_for_it(trial: Trial) -> None:
    infrastructure.start(trial.known, trial.screen)
    processes = Processes(trial.known)
    (broker,) = (name for name in infrastructure.process_names(trial.known) if "kafka" in name)
    pid = processes.pid(broker)
    assert pid is not None
    dead = psutil.Process(pid)
    dead.kill()
    dead.wait(timeout=10)
    jars = infrastructure._jars(trial.known, trial.screen)
    Kafka(trial.known, processes, jars=jars).launch([0])  # as an `up` that was interrupted

    infrastructure.start(trial.known, trial.screen)

    assert ports.is_open(trial.known.ports.kafka())


@pytest.mark.timeout(400)
def test_all_data_is_there_after_down_and_up(trial: Trial) -> None:
    infrastructure.start(trial.known, trial.screen)
    made = topics.ensure(trial.known)
    database.prepare(addresses.server(trial.known))
    before = pids(trial.known)

    infrastructure.start(trial.known, trial.screen)
    assert pids(trial.known) == before, "a second up changes nothing"
    assert topics.ensure(trial.known) == []
    assert database.prepare(addresses.server(trial.known)) == "schemas are there"

    infrastructure.stop(trial.known, trial.screen)
    assert set(pids(trial.known).values()) == {None}
    assert ports.is_free(trial.known.ports.kafka())

    infrastructure.start(trial.known, trial.screen)
    assert {line.topic.name for line in topics.lines(trial.known) if line.present} == set(made)
    schemas = "SELECT count(*) FROM pg_namespace WHERE nspowner::regrole::text LIKE 'pd_%_owner'"
    assert asyncio.run(fetch(trial.known, schemas)) == 4


def test_a_password_is_asked_for(trial: Trial) -> None:
    infrastructure.start(trial.known, trial.screen)
    login = addresses.administrator(trial.known).replace(trial.known.secret("postgres_admin"), "x")

    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(asyncpg.connect(login))


def test_a_running_instance_does_not_move(trial: Trial) -> None:
    infrastructure.start(trial.known, trial.screen)
    elsewhere = Wanted(trial.wanted.name, base_port=trial.known.ports.base + 1000)

    with pytest.raises(LaunchError, match="runs: stop it with"):
        infrastructure.open_instance(elsewhere, trial.known.folder)


def test_the_number_of_brokers_is_for_life(trial: Trial) -> None:
    three = Wanted(trial.wanted.name, brokers=3)

    with pytest.raises(LaunchError, match=r"--instance .*-3"):
        infrastructure.open_instance(three, trial.known.folder)


def test_a_stop_waits_for_nobody_who_is_connected(trial: Trial) -> None:
    """SIGTERM would: PostgreSQL then lets nobody in and ends with the last connection."""
    infrastructure.start(trial.known, trial.screen)
    log = Processes(trial.known).log("postgres")
    before = log.stat().st_size
    with asyncio.Runner() as runner:
        staying = runner.run(asyncpg.connect(addresses.administrator(trial.known, "postgres")))
        runner.run(staying.execute("BEGIN"))

        infrastructure.stop(trial.known, trial.screen)

        staying.terminate()
    said = log.read_bytes()[before:].decode()
    assert "received fast shutdown request" in said
    assert said.rstrip().endswith("database system is shut down"), "killed, it would say nothing"


def test_two_instances_share_no_port(trial: Trial) -> None:
    infrastructure.stop(trial.known, trial.screen)
    beside = Wanted(f"{trial.wanted.name}-beside")
    folder = infrastructure.folder_of(beside)
    try:
        other = infrastructure.open_instance(beside, folder)
    finally:
        shutil.rmtree(folder)

    assert other.ports != trial.known.ports, "even while the first one is down"


def test_data_of_another_postgresql_is_refused(trial: Trial) -> None:
    infrastructure.stop(trial.known, trial.screen)
    version = trial.known.postgres_folder / "data" / "PG_VERSION"
    kept = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(LaunchError, match="written by PostgreSQL 9"):
            infrastructure.start(trial.known, trial.screen)
    finally:
        version.write_text(kept)
    assert instance.load(trial.known.folder) == trial.known
