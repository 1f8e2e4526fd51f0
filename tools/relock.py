"""Writes launcher/kafka/kafka.lock for a Kafka version: `python -m tools.relock 4.3.1`."""

import sys

from launcher.kafka import jars


def main() -> None:
    """Resolve the version named on the command line and write the lock."""
    lock = jars.resolve(sys.argv[1])
    jars.write_lock(lock)
    sys.stdout.write(f"{len(lock.jars)} jars of Kafka {lock.version} locked\n")


if __name__ == "__main__":
    main()
