"""A real Apache Kafka on this machine: KRaft brokers that are controllers too, on loopback.

Knows the broker's configuration and command line; must not know topics, services or PostgreSQL.
"""

import signal
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance import files, folders, ports, space
from launcher.instance.instance import Instance
from launcher.instance.processes import Command, Processes
from launcher.kafka import java

START_TIMEOUT_S: Final = 90
STOP_TIMEOUT_S: Final = 30
FORMAT_TIMEOUT_S: Final = 60
HEAP_ONE_BROKER: Final = "512m"
HEAP_EACH_OF_MANY: Final = "384m"
"""Three brokers at 384 MiB take 2.1 GB together; a single one serves all topics and gets more."""
LOG_FILE_SIZE: Final = "10MB"
LOG_FILES: Final = 3


def kafka_names(instance: Instance) -> list[str]:
    """Return the names of an instance's broker processes."""
    return [f"kafka-{n}" for n in range(instance.brokers)]


def broker_of(name: str) -> int:
    """Return the number of the broker that runs under this process name."""
    return int(name.removeprefix("kafka-"))


class Kafka:
    """The brokers of one instance, `kafka-0`, `kafka-1`, ..., run from the verified jars in `jars`.

    One broker acknowledges from the page cache: that survives kill -9, not a power cut.
    """

    def __init__(self, instance: Instance, processes: Processes, *, jars: Path) -> None:
        self._instance = instance
        self._processes = processes
        self._jars = jars
        self._names = kafka_names(instance)

    def begin(self) -> bool:
        """Start every broker that does not run, without waiting; return whether any was started."""
        idle = [n for n, name in enumerate(self._names) if self._processes.find(name) is None]
        if idle:
            self.launch(idle)
        return bool(idle)

    def wait(self) -> None:
        """Return once every broker answers.

        One that ran before may be starting still: an `up` that was interrupted, or a keeper, began
        it.
        """
        for broker, name in enumerate(self._names):
            port = self._instance.ports.kafka(broker)
            self._processes.wait_ready(
                name, partial(ports.is_open, port), timeout_s=START_TIMEOUT_S
            )

    def launch(self, idle: Sequence[int]) -> None:
        """Start brokers that do not run, without waiting until they answer."""
        executable = java.find()
        for broker in idle:
            self._require_ports(broker)
            self._prepare(broker, executable)
            self._processes.start(self._command(broker, executable))

    def _require_ports(self, broker: int) -> None:
        ports.require_free(self._instance.ports.kafka(broker), "Kafka")
        ports.require_free(self._instance.ports.controller(broker), "Kafka's controller")

    def _prepare(self, broker: int, executable: Path) -> None:
        """Write the configuration anew, and make the data folder, once in its life."""
        folder = self._folder(broker)
        files.make_folder(self._instance.kafka_folder)
        folder.mkdir(exist_ok=True, mode=files.FOLDER)
        files.write(folder / "server.properties", self._properties(broker))
        files.write(folder / "log4j2.yaml", _log_configuration(folder))
        if not (folder / "data" / "meta.properties").exists():
            self._format(broker, executable)

    def _format(self, broker: int, executable: Path) -> None:
        """Make the data folder; elsewhere first, for a half-made one would pass for ours."""
        folder = self._folder(broker)
        draft = folders.draft_of(folder / "data")
        elsewhere = f"{self._properties(broker)}log.dirs={draft}\n"  # the last line of a key counts
        files.write(folder / "format.properties", elsewhere)
        argv = [
            *self._java(broker, executable),
            "kafka.tools.StorageTool",
            "format",
            # An id may begin with a dash, so it must not be a word of its own.
            f"--cluster-id={self._cluster_id()}",
            f"--config={folder / 'format.properties'}",
        ]
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            check=False,
            timeout=FORMAT_TIMEOUT_S,
            umask=files.UMASK,
        )
        if done.returncode != 0:
            words = " ".join((done.stderr or done.stdout).strip().splitlines()[-1:])
            raise LaunchError(
                f"Kafka's data folder {folder} could not be made: {words} "
                + (space.complaint(folder, done.stdout + done.stderr) or "Run the command again.")
            )
        draft.rename(folder / "data")

    def _cluster_id(self) -> str:
        """Return the cluster's id, the same for all brokers: 16 bytes in URL-safe base64."""
        path = self._instance.kafka_folder / "cluster-id"
        if not path.exists():
            files.write(path, urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
        return path.read_text(encoding="utf-8")

    def _command(self, broker: int, executable: Path) -> Command:
        folder = self._folder(broker)
        return Command(
            name=self._names[broker],
            argv=[
                *self._java(broker, executable),
                "kafka.Kafka",
                str(folder / "server.properties"),
            ],
            environment=java.environment(),
            stop_signal=signal.SIGTERM,
            stop_timeout_s=STOP_TIMEOUT_S,
        )

    def _java(self, broker: int, executable: Path) -> list[str]:
        heap = HEAP_ONE_BROKER if self._instance.brokers == 1 else HEAP_EACH_OF_MANY
        return [
            str(executable),
            f"-Xmx{heap}",
            f"-Xms{heap}",
            "-XX:+UseG1GC",
            "-XX:MaxGCPauseMillis=20",  # Kafka's own scripts set these two
            "-XX:InitiatingHeapOccupancyPercent=35",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            # Kafka's compression libraries are native; Java asks to be told so.
            "--enable-native-access=ALL-UNNAMED",
            f"-Dlog4j2.configurationFile={(self._folder(broker) / 'log4j2.yaml').as_uri()}",
            "-cp",
            f"{self._jars}/*",
        ]

    def _properties(self, broker: int) -> str:
        brokers, own = self._instance.brokers, self._instance.ports
        replicas = min(3, brokers)
        voters = ",".join(f"{n}@127.0.0.1:{own.controller(n)}" for n in range(brokers))
        values = {
            "process.roles": "broker,controller",
            "node.id": broker,
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": (
                f"PLAINTEXT://127.0.0.1:{own.kafka(broker)},"
                f"CONTROLLER://127.0.0.1:{own.controller(broker)}"
            ),
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{own.kafka(broker)}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._folder(broker) / "data",
            "auto.create.topics.enable": "false",
            # Members of a group would wait 3 s for one another at every start.
            "group.initial.rebalance.delay.ms": 0,
            "default.replication.factor": replicas,
            "min.insync.replicas": max(1, replicas - 1),
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 12,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": max(1, replicas - 1),
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": max(1, replicas - 1),
            # A dead broker is noticed after 6 s instead of 9.
            "broker.session.timeout.ms": 6000,
        }
        return "".join(f"{key}={value}\n" for key, value in values.items())

    def _folder(self, broker: int) -> Path:
        return self._instance.kafka_folder / str(broker)


def _log_configuration(folder: Path) -> str:
    """Return a log4j2 configuration that keeps three files of 10 MB and warns on the console."""
    return f"""Configuration:
  status: error
  Appenders:
    RollingFile:
      name: file
      fileName: "{folder}/broker.log"
      filePattern: "{folder}/broker.%i.log"
      PatternLayout:
        pattern: "%d{{ISO8601}} %p %m (%c{{1}})%n"
      SizeBasedTriggeringPolicy:
        size: {LOG_FILE_SIZE}
      DefaultRolloverStrategy:
        max: {LOG_FILES}
    Console:
      name: console
      PatternLayout:
        pattern: "%d{{ISO8601}} %p %m (%c{{1}})%n"
      ThresholdFilter:
        level: error
  Loggers:
    Root:
      level: info
      AppenderRef:
        - ref: file
        - ref: console
"""
