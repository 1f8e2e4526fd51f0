"""Kafka and PostgreSQL of an instance, together: found or fetched, started, stopped.

Must not know topics, schemas or services.
"""

from dataclasses import dataclass
from pathlib import Path

from launcher import account, folders, instance, jars, ports
from launcher.errors import LaunchError
from launcher.instance import Instance
from launcher.kafka import Kafka
from launcher.postgres import ADMIN, DATABASE, NAME, Postgres
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


def folder_of(wanted: Wanted) -> Path:
    """Return the folder of the instance, made where it was absent."""
    runs_as = account.unprivileged()
    home = folders.home(wanted.folder, runs_as)
    return folders.instance_folder(home, wanted.name, runs_as)


def open_instance(wanted: Wanted, folder: Path) -> Instance:
    """Return the instance in `folder`, created with free ports if it is new.

    Raises LaunchError for a foreign folder, or a wish that contradicts what the instance is.
    """
    known = instance.load(folder)
    if known is None:
        brokers = wanted.brokers or 1
        chosen = ports.Ports(wanted.base_port) if wanted.base_port else ports.choose(brokers)
        known = Instance(folder, wanted.name, chosen, brokers, wanted.durable)
        instance.save(known)
    if wanted.brokers not in (None, known.brokers):
        raise LaunchError(
            f"The instance {known.name} has {known.brokers} broker(s) for life: "
            f"start one with {wanted.brokers} under another name, "
            f"for instance --instance {known.name}-{wanted.brokers}."
        )
    if wanted.base_port not in (None, known.ports.base):
        known = _moved(known, ports.Ports(wanted.base_port or 0))
    return known


def start(known: Instance, screen: Screen) -> None:
    """Bring up PostgreSQL and Kafka; what runs already stays as it is. Raises LaunchError."""
    processes = Processes(known)
    jar_folder = _jars(known, screen)
    with screen.step("PostgreSQL") as step:
        started = Postgres(known, processes, account=account.unprivileged()).start()
        step.outcome = f"127.0.0.1:{known.ports.postgres}{'' if started else ', runs already'}"
    with screen.step("Kafka") as step:
        started = Kafka(known, processes, jars=jar_folder).start()
        step.outcome = f"{known.bootstrap_servers}{'' if started else ', runs already'}"


def stop(known: Instance, screen: Screen) -> None:
    """Stop Kafka, then PostgreSQL; only what this instance started."""
    processes = Processes(known)
    brokers = [name for name in processes.names() if name.startswith("kafka-")]
    for label, names in (("Kafka", brokers), ("PostgreSQL", [NAME])):
        with screen.step(label) as step:
            stopped = [processes.stop(name) for name in names]
            step.outcome = "stopped" if any(stopped) else "was not running"


def admin_dsn(known: Instance) -> str:
    """Return the superuser's address of our own server, for asyncpg."""
    password = known.secret("postgres_admin")
    return f"postgresql://{ADMIN}:{password}@127.0.0.1:{known.ports.postgres}/postgres"


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


def _moved(known: Instance, to: ports.Ports) -> Instance:
    processes = Processes(known)
    if any(processes.find(name) for name in processes.names()):
        raise LaunchError(
            f"The instance {known.name} runs on the ports from {known.ports.base}: "
            "stop it with `./peakdesk down` before you move it."
        )
    moved = Instance(known.folder, known.name, to, known.brokers, known.durable)
    instance.save(moved)
    return moved
