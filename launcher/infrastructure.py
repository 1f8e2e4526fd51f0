"""Kafka and PostgreSQL of an instance, together: found or fetched, started, stopped.

Must not know topics, schemas or services.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance import account, folders, instance, ports
from launcher.instance.instance import Instance
from launcher.instance.processes import Processes
from launcher.instance.typed import USUAL, typed
from launcher.kafka import jars
from launcher.kafka.broker import Kafka, broker_of, kafka_names
from launcher.postgres import addresses
from launcher.postgres.server import NAME, Postgres
from launcher.screen import Screen

_CHOOSING: Final = ".choosing-ports"
"""Locked while ports are chosen; no instance can be called so."""

_SERVERS: Final = re.compile(r"[\w.\-\[\]:]+:\d{1,5}(,[\w.\-\[\]:]+:\d{1,5})*", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """What the command line asks of an instance; None leaves it to what is there, or to us."""

    name: str = USUAL
    folder: Path | None = None
    base_port: int | None = None
    brokers: int | None = None
    durable: bool = True
    kafka: str | None = None
    database_url: str | None = None


def folder_of(wanted: Wanted) -> Path:
    """Return the folder of the instance, which may not be there yet.

    Raises LaunchError for a name that is none, such as ../x.
    """
    instance.check_name(wanted.name)
    return folders.home(wanted.folder, account.unprivileged()) / wanted.name


def check(wanted: Wanted, *, start_all: bool = True) -> None:
    """Raise LaunchError if wishes contradict one another; `start_all` is off for the two alone."""
    if wanted.kafka is not None and wanted.brokers is not None:
        raise LaunchError("--brokers is about our Kafka and --bootstrap-servers names yours.")
    if wanted.kafka is not None and not _SERVERS.fullmatch(wanted.kafka):
        raise LaunchError("--bootstrap-servers needs the form host:port,host:port,...")
    if wanted.database_url is not None:
        addresses.checked(wanted.database_url)
    if not start_all and wanted.kafka is not None and wanted.database_url is not None:
        raise LaunchError("With your Kafka and your PostgreSQL, --infrastructure-only has no work.")


def open_instance(
    wanted: Wanted, folder: Path, *, say: Callable[[str], None] = lambda _: None
) -> Instance:
    """Return the instance in `folder`, created with free ports if it is new; `say` tells which.

    Raises LaunchError for a foreign folder, or a wish that contradicts what the instance is.
    """
    check(wanted)
    known = _known_or_made(wanted, folder, say)
    if known.durable and not wanted.durable:
        raise LaunchError(
            f"The instance {known.name} was made to keep its data: name another with --instance "
            "for --test-data."
        )
    if wanted.brokers not in (None, known.brokers):
        raise LaunchError(
            f"The instance {known.name} has {known.brokers} broker(s) for life: "
            f"start one with {wanted.brokers} under another name, "
            f"for instance --instance {known.name}-{wanted.brokers}."
        )
    folders.make_own(folder, account.unprivileged())
    instance.make_folders(known)
    changed = _with_wishes(known, wanted)
    if changed != known:
        _require_stopped(known)
        instance.save(changed)
    if wanted.database_url:
        known.keep_secrets(
            known.secrets() | {addresses.YOURS: addresses.checked(wanted.database_url)}
        )
    return changed


def _known_or_made(wanted: Wanted, folder: Path, say: Callable[[str], None]) -> Instance:
    """Return the instance in `folder`; a new one has ports that none beside it was given.

    One at a time: two made at once would find the same ports free.
    """
    with instance.locked(folder.parent, name=_CHOOSING):
        known = instance.load(folder)
        reserved = {other.ports.base: other.name for other in instance.siblings(folder)}
        _require_unowned(wanted.base_port, reserved)
        if known is None:
            brokers = wanted.brokers or 1
            chosen = _ports(wanted, brokers, reserved, say=say)
            folders.make_own(folder, account.unprivileged())
            known = Instance(folder, wanted.name, chosen, brokers, wanted.durable)
            instance.save(known)
        elif wanted.base_port is None and _may_move(known):
            # Of test data nobody knows the address, and another checkout's may have come between.
            known = replace(known, ports=_ports(wanted, known.brokers, reserved, say=say))
            instance.save(known)
        return known


def _may_move(known: Instance) -> bool:
    """Tell whether an instance of test data stands still and somebody else has a port of its."""
    processes = Processes(known)
    stands = not any(processes.find(name) for name in processes.names())
    return not known.durable and stands and bool(ports.obstacle(known.ports, known.brokers, {}))


def start(known: Instance, screen: Screen) -> None:
    """Bring up PostgreSQL and Kafka; what runs already, or is yours, stays as it is."""
    begin(known, screen).complete(screen)


@dataclass(frozen=True)
class Begun:
    """Brokers that start by themselves; there is something else to do meanwhile."""

    kafka: Kafka | None
    """None if it is yours."""
    outcome: str

    def complete(self, screen: Screen) -> None:
        """Wait until Kafka answers."""
        if self.kafka is not None:
            with screen.step("Kafka") as step:
                self.kafka.wait()
                step.outcome = self.outcome


def begin(known: Instance, screen: Screen) -> Begun:
    """Bring up PostgreSQL, which takes a second, and begin with Kafka, which takes several."""
    processes = Processes(known)
    kafka = None if known.kafka else Kafka(known, processes, jars=_jars(known, screen))
    if not known.own_database:
        return Begun(kafka, _begin_with(kafka, known.bootstrap_servers))
    with screen.step("PostgreSQL") as step:
        postgres = Postgres(known, processes, account=account.unprivileged())
        step.outcome = _begin_with(postgres, f"127.0.0.1:{known.ports.postgres}")
        outcome = _begin_with(kafka, known.bootstrap_servers)
        postgres.wait()
    return Begun(kafka, outcome)


def _begin_with(server: Kafka | Postgres | None, at: str) -> str:
    begun = server is not None and server.begin()
    return at if begun else f"{at}, runs already"


def stop(known: Instance, screen: Screen) -> None:
    """Stop Kafka, then PostgreSQL; only what this instance started."""
    processes = Processes(known)
    ours = process_names(known)
    brokers = [name for name in ours if name != NAME]
    for label, names in (("Kafka", brokers), ("PostgreSQL", [n for n in ours if n == NAME])):
        if names:
            with screen.step(label) as step:
                step.outcome = "stopped" if processes.stop(*names) else "was not running"


def runs(known: Instance) -> bool:
    """Return whether every process of ours is alive."""
    processes = Processes(known)
    return all(processes.find(name) for name in process_names(known))


def process_names(known: Instance) -> list[str]:
    """Return the names of the processes that are ours, in the order in which they start."""
    database = [NAME] if known.own_database else []
    return database + ([] if known.kafka else kafka_names(known))


def port_of(known: Instance, name: str) -> int:
    """Return the port on which one of those processes answers."""
    return known.ports.postgres if name == NAME else known.ports.kafka(broker_of(name))


def _jars(known: Instance, screen: Screen) -> Path:
    lock = jars.read_lock()
    folder = folders.jar_cache(known.folder.parent, lock.version)
    with screen.step("Downloads") as step:
        absent = jars.missing(lock, folder)
        size = sum(jar.size for jar in absent)
        if absent:
            with screen.download(f"Kafka {lock.version}", size) as on_bytes:
                jars.fetch(absent, folder, on_bytes=on_bytes)
        step.outcome = f"{len(lock.jars)} files of Kafka {lock.version}, sha256 right" + (
            f", {size / 1e6:.0f} MB fetched" if absent else ""
        )
    return folder


def _with_wishes(known: Instance, wanted: Wanted) -> Instance:
    """Return the instance with the ports and addresses that the command line names."""
    return replace(
        known,
        ports=known.ports if wanted.base_port is None else ports.Ports(wanted.base_port),
        kafka=wanted.kafka or known.kafka,
        own_database=known.own_database and wanted.database_url is None,
    )


def _ports(
    wanted: Wanted, brokers: int, reserved: ports.Reserved, *, say: Callable[[str], None]
) -> ports.Ports:
    """Return the ports of a new instance; those that are not the usual ones are told."""
    if wanted.base_port is not None:
        return ports.Ports(wanted.base_port)
    usual = ports.Ports(ports.FIRST_BASE)
    reason = ports.obstacle(usual, brokers, reserved)
    chosen = ports.choose(brokers, reserved=reserved)
    if reason is not None:
        last = chosen.base + ports.BLOCK - 1
        say(f"Ports {chosen.base} to {last}, not from {usual.base} on: {reason}.")
    return chosen


def _require_unowned(base: int | None, reserved: ports.Reserved) -> None:
    owner = None if base is None else ports.owner_of(ports.Ports(base), reserved)
    if owner is not None:
        raise LaunchError(
            f"--base-port {base}: the instance {owner} has ports of that block. "
            f"Blocks have {ports.BLOCK} ports."
        )


def _require_stopped(known: Instance) -> None:
    processes = Processes(known)
    if any(processes.find(name) for name in processes.names()):
        raise LaunchError(
            f"The instance {known.name} runs: stop it with `{typed('down', known.folder)}` before "
            "you change its ports or addresses."
        )
