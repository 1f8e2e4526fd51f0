"""The whole platform of an instance: infrastructure, topics, schemas, services, in that order.

Composes the other modules; must not know how any of them does its work.
"""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

import httpx2

from launcher import infrastructure, keeper, player, services
from launcher.errors import LaunchError
from launcher.instance import instance, ports
from launcher.instance.deaths import Deaths
from launcher.instance.identity import is_suspended
from launcher.instance.instance import Instance
from launcher.instance.processes import Processes
from launcher.instance.typed import typed
from launcher.kafka import topics
from launcher.postgres import addresses, database, server
from launcher.screen import Screen
from launcher.services import SERVICES, Service

READY_TIMEOUT_S: Final = 90
"""A gateway first reads the last minute of chat; a busy machine starts five interpreters slowly."""
READY_POLL_S: Final = 0.25
"""A service logs each answer that it is not ready yet."""
PROBE_TIMEOUT_S: Final = 2.0
_BESIDE: Final = frozenset({keeper.NAME, player.NAME})
"""Processes that nobody asks anything of."""
NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For probes of this machine: a client without it reads the system's authorities, 22 ms of CPU."""


class State(StrEnum):
    """What a process is at."""

    READY = "ready"
    NOT_READY = "not ready"
    SUSPENDED = "suspended"
    """Somebody stopped it by a signal (SIGSTOP); it goes on when it is told to."""
    ENDED = "ended"
    """Nobody stopped it, and it runs no more."""
    STOPPED = "stopped"
    """It was not started, or stopped on purpose."""


@dataclass(frozen=True)
class ProcessLine:
    """One process as `status` shows it; `deaths` is None if it never died."""

    name: str
    pid: int | None
    ready: bool
    address: str
    state: State
    deaths: Deaths | None


def prepare(known: Instance, screen: Screen) -> None:
    """Make roles, schemas and topics, and bring every schema up to date."""
    prepare_database(known, screen)
    make_topics(known, screen)


def make_topics(known: Instance, screen: Screen) -> None:
    """Make the topics that are missing."""
    with screen.step("Topics") as step:
        made = topics.ensure(known)
        step.outcome = f"{len(made)} made" if made else "all there"


def prepare_database(known: Instance, screen: Screen) -> None:
    """Make roles and schemas, and bring every schema up to date; Kafka need not run.

    In a database of yours, tables that services still own are left to its administrator.
    """
    server = addresses.server(known)
    if known.own_database and database.is_secured(server) is False:
        stop_services(known, screen, SERVICES)  # they are of the release before, and start again
    with screen.step("Database") as step:
        step.outcome = database.prepare(server, moves=known.own_database)
    with screen.step("Migrations") as step:
        database.migrate(server)
        step.outcome = "every schema is up to date"
    if due := database.due(server):
        screen.say(f"\n{database.UNSECURED} Let an administrator run this in your database:\n")
        screen.say("".join(f"{statement};\n" for statement in due), plain=True)


def start_services(known: Instance, screen: Screen) -> None:
    """Start the services that do not run, all at once, and wait until each is ready.

    Raises LaunchError; what has started by then goes on.
    """
    processes = Processes(known)
    idle = [service for service in SERVICES if processes.find(service.name) is None]
    for service in idle:
        services.require_ports(known, service)
    for service in idle:
        processes.start(services.command(known, service))
    for service in reversed(SERVICES):
        with screen.step(service.name) as step:
            ready = partial(is_ready, known, service.name)
            processes.wait_ready(
                service.name, ready, timeout_s=READY_TIMEOUT_S, every_s=READY_POLL_S
            )
            at = services.public_url(known, service.name)
            step.outcome = f"{at}{'' if service in idle else ', runs already'}"


def down(known: Instance, screen: Screen) -> None:
    """Stop keeper, player, services, Kafka and PostgreSQL in that order; all data stays."""
    end_keeper(known)
    player.end(known, screen)
    stop_services(known, screen, SERVICES)
    infrastructure.stop(known, screen)


def keep(known: Instance, screen: Screen) -> None:
    """See to it that a keeper runs, which starts again what dies."""
    processes = Processes(known)
    with screen.step(keeper.NAME) as step:
        if processes.find(keeper.NAME) is None:
            processes.start(keeper.command(known))
            step.outcome = "starts again what dies"
        else:
            step.outcome = "runs already"


def end_keeper(known: Instance) -> None:
    """End the keeper, whoever is at work in the instance: what is stopped next shall stay so."""
    Processes(known).stop(keeper.NAME)


def stop_services(known: Instance, screen: Screen, chosen: Sequence[Service]) -> None:
    """Let each service drain and end, the gateway first."""
    processes = Processes(known)
    for service in chosen:
        with screen.step(service.name) as step:
            stopped = processes.stop(service.name)
            step.outcome = "stopped" if stopped else "was not running"


def pids(folder: Path) -> dict[str, int]:
    """Return the pid of every process that lives, by name; none where there is no instance."""
    known = instance.load(folder)
    if known is None:
        return {}
    processes = Processes(known)
    found = {name: processes.pid(name) for name in processes.names()}
    return {name: pid for name, pid in found.items() if pid is not None}


def status(known: Instance) -> list[ProcessLine]:
    """Return every process of the instance: its pid, and whether it does its work.

    Without a keeper, which not everybody wants, nothing is amiss; with a dead one something is.
    A player is shown where one was begun.
    """
    found = []
    for name in infrastructure.process_names(known):
        port = infrastructure.port_of(known, name)
        answers = partial(server.accepts if name == server.NAME else ports.is_open, port)
        found.append(_line(known, name, f"127.0.0.1:{port}", answers=answers))
    for service in reversed(SERVICES):
        address = services.public_url(known, service.name)
        found.append(
            _line(known, service.name, address, answers=partial(is_ready, known, service.name))
        )
    if Processes(known).is_noted(player.NAME):
        found.append(_line(known, player.NAME, "", answers=lambda: True))
    kept = _line(known, keeper.NAME, "", answers=lambda: True)
    found.append(replace(kept, ready=True) if kept.state is State.STOPPED else kept)
    return found


def _line(known: Instance, name: str, address: str, *, answers: Callable[[], bool]) -> ProcessLine:
    processes = Processes(known)
    process = processes.find(name)
    deaths = processes.deaths(name)
    if process is None:
        noted = processes.is_noted(name)
        deaths = deaths or (processes.last_death(name) if noted else None)
        state = State.ENDED if noted else State.STOPPED
        return ProcessLine(name, None, ready=False, address=address, state=state, deaths=deaths)
    if is_suspended(process):
        state = State.SUSPENDED
    else:
        state = State.READY if answers() else State.NOT_READY
    ready = state is State.READY
    return ProcessLine(name, process.pid, ready, address, state, deaths)


def is_ready(known: Instance, service: str) -> bool:
    """Return whether a service says that it is ready."""
    try:
        with httpx2.Client(timeout=PROBE_TIMEOUT_S, trust_env=False, verify=NO_TLS) as http:
            answer = http.get(f"{services.admin_url(known, service)}/ready")
    except httpx2.HTTPError:
        return False
    return answer.status_code == httpx2.codes.OK


def require_up(known: Instance) -> None:
    """Raise LaunchError unless every process that answers somebody runs and is ready."""
    lines = [line for line in status(known) if line.name not in _BESIDE]
    missing = [line.name for line in lines if not line.ready]
    if missing:
        raise LaunchError(
            f"Not running: {', '.join(missing)}. Start them with `{typed('up', known.folder)}`."
        )
