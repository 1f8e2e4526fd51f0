"""Tries a Kafka and a PostgreSQL of yours before their addresses are kept; changes nothing."""

from launcher.infrastructure import Wanted
from launcher.kafka import topics
from launcher.postgres import addresses, database


def try_out(wanted: Wanted) -> None:
    """Return if what the command line names answers. Raises LaunchError saying which does not."""
    if wanted.kafka is not None:
        topics.try_out(wanted.kafka)
    if wanted.database_url is not None:
        database.try_out(addresses.checked(wanted.database_url))
