"""Kafka and PostgreSQL of an instance, together: found or fetched, started, stopped.

Must not know topics, schemas or services.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from launcher import account, addresses, folders, instance, jars, ports
from launcher.errors import LaunchError
from launcher.instance import Instance
from launcher.kafka import Kafka, broker_of, kafka_names
from launcher.postgres import NAME, Postgres
from launcher.processes import Processes
from launcher.screen import Screen


@dataclass(frozen=True)
class Wanted:
    """What the command line asks of an instance; None leaves it to what is there, or to us."""

    name: str = "default"
    folder: Path | None = None
    base_port: int | None = None
    brokers: int | None = None
    durable: bool = True
    kafka: str | None = None
    database_url: str | None = None


def folder_of(wanted: Wanted) -> Path:
    """Return the folder of the instance, which may not be there yet."""
    return folders.home(wanted.folder, account.unprivileged()) / wanted.name


def open_instance(wanted: Wanted, folder: Path) -> Instance:
    """Return the instance in `folder`, created with free ports if it is new.

    Raises LaunchError for a foreign folder, or a wish that contradicts what the instance is.
    """
    known = instance.load(folder)
    if known is None:
        brokers = wanted.brokers or 1
        others = {other.ports.base for other in instance.siblings(folder)}
        chosen = ports.choose(brokers, reserved=others)
        if wanted.base_port is not None:
            chosen = ports.Ports(wanted.base_port)
        folders.make_own(folder, account.unprivileged())
        known = Instance(folder, wanted.name, chosen, brokers, wanted.durable)
        instance.save(known)
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


def start(known: Instance, screen: Screen) -> None:
    """Bring up PostgreSQL and Kafka; what runs already, or is yours, stays as it is."""
    processes = Processes(known)
    jar_folder = _jars(known, screen) if known.kafka is None else None
    if known.own_database:
        with screen.step("PostgreSQL") as step:
            started = Postgres(known, processes, account=account.unprivileged()).start()
            step.outcome = f"127.0.0.1:{known.ports.postgres}{'' if started else ', runs already'}"
    if jar_folder is not None:
        with screen.step("Kafka") as step:
            started = Kafka(known, processes, jars=jar_folder).start()
            step.outcome = f"{known.bootstrap_servers}{'' if started else ', runs already'}"


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


def _require_stopped(known: Instance) -> None:
    processes = Processes(known)
    if any(processes.find(name) for name in processes.names()):
        raise LaunchError(
            f"The instance {known.name} runs: stop it with `./peakdesk down` before you change "
            "its ports or addresses."
        )
