"""Starts one process of an instance by its name, as `up` would; waits not until it is ready."""

from launcher import player, services
from launcher.errors import LaunchError
from launcher.instance import account, folders
from launcher.instance.instance import Instance
from launcher.instance.processes import Processes
from launcher.kafka import jars
from launcher.kafka.broker import Kafka, broker_of, kafka_names
from launcher.postgres.server import NAME as POSTGRES
from launcher.postgres.server import Postgres


def start(known: Instance, name: str) -> None:
    """Start the process called `name`. Raises LaunchError, also for a name that is none of ours."""
    processes = Processes(known)
    if name == POSTGRES:
        Postgres(known, processes, account=account.unprivileged()).launch()
    elif name in kafka_names(known):
        home = known.folder.parent
        jar_folder = folders.jar_cache(home, jars.read_lock().version)
        Kafka(known, processes, jars=jar_folder).launch([broker_of(name)])
    elif name == player.NAME:
        processes.start(player.command(known))
    else:
        service = next((one for one in services.SERVICES if one.name == name), None)
        if service is None:
            raise LaunchError(f"{name} is no process that `./peakdesk up` starts.")
        services.require_ports(known, service)
        processes.start(services.command(known, service))
