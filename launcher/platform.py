"""The whole platform of an instance: infrastructure, topics, schemas, services, in that order.

Composes the other modules; must not know how any of them does its work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import httpx2

from launcher import addresses, database, infrastructure, ports, services, topics
from launcher.errors import LaunchError
from launcher.instance import Instance
from launcher.processes import Processes
from launcher.screen import Screen
from launcher.services import SERVICES, Service

READY_TIMEOUT_S: Final = 90
"""A gateway first reads the last minute of chat; a busy machine starts five interpreters slowly."""
READY_POLL_S: Final = 0.25
"""A service logs each answer that it is not ready yet."""
PROBE_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True)
class ProcessLine:
    """One process as `status` shows it."""

    name: str
    pid: int | None
    ready: bool
    address: str


def prepare(known: Instance, screen: Screen) -> None:
    """Make topics, roles and schemas, and bring every schema up to date."""
    with screen.step("Topics") as step:
        made = topics.ensure(known)
        step.outcome = f"{len(made)} made" if made else "all there"
    with screen.step("Database") as step:
        step.outcome = database.prepare(addresses.server(known))
    with screen.step("Migrations") as step:
        database.migrate(addresses.server(known))
        step.outcome = "every schema is up to date"


def start_services(known: Instance, screen: Screen) -> None:
    """Start the services that do not run, all at once, and wait until each is ready.

    Raises LaunchError; what has started by then goes on.
    """
    processes = Processes(known)
    idle = [service for service in SERVICES if processes.find(service.name) is None]
    for service in idle:
        ports.require_free(known.ports.service(service.name), service.name)
        ports.require_free(known.ports.admin(service.name), f"{service.name}'s health check")
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
    """Stop services, Kafka and PostgreSQL in that order; all data stays."""
    stop_services(known, screen, SERVICES)
    infrastructure.stop(known, screen)


def stop_services(known: Instance, screen: Screen, chosen: Sequence[Service]) -> None:
    """Let each service drain and end, the gateway first."""
    processes = Processes(known)
    for service in chosen:
        with screen.step(service.name) as step:
            stopped = processes.stop(service.name)
            step.outcome = "stopped" if stopped else "was not running"


def status(known: Instance) -> list[ProcessLine]:
    """Return every process of the instance: its pid, and whether it does its work."""
    pid = Processes(known).pid
    found = []
    for name in infrastructure.process_names(known):
        port = infrastructure.port_of(known, name)
        found.append(ProcessLine(name, pid(name), ports.is_open(port), f"127.0.0.1:{port}"))
    for service in reversed(SERVICES):
        ready = is_ready(known, service.name)
        address = services.public_url(known, service.name)
        found.append(ProcessLine(service.name, pid(service.name), ready, address))
    return found


def is_ready(known: Instance, service: str) -> bool:
    """Return whether a service says that it is ready."""
    try:
        with httpx2.Client(timeout=PROBE_TIMEOUT_S, trust_env=False) as http:
            answer = http.get(f"{services.admin_url(known, service)}/ready")
    except httpx2.HTTPError:
        return False
    return answer.status_code == httpx2.codes.OK


def require_up(known: Instance) -> None:
    """Raise LaunchError unless every process runs and is ready."""
    missing = [line.name for line in status(known) if line.pid is None or not line.ready]
    if missing:
        raise LaunchError(f"Not running: {', '.join(missing)}. Start them with `./peakdesk up`.")
