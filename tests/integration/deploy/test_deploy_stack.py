"""docker-compose.yml without Docker: its commands, variables and secret files, on real servers.

Only what a container would change is replaced: host names, ports and the folder of the secrets.
"""

import asyncio
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

import httpx2
import pytest

from contracts.topics import GROUPS, TOPICS
from launcher.deploy import deployment
from launcher.postgres.roles import DATABASE_SERVICES
from tests import deployed, infrastructure
from tests.deployed import Part
from tests.infrastructure import Infrastructure
from tests.ports import HeldPorts
from tests.waiting import eventually
from tests.web import NO_TLS

pytestmark = pytest.mark.integration

READY_S = 240
"""Five interpreters start at once, maybe on a machine that does much else."""
TASK_S = 120
ENDED_S = 25
HEALTHCHECK = deployed.CHECKOUT / "deploy/docker/healthcheck.py"


@dataclass
class Stack:
    """The processes of docker-compose.yml, each on its own ports instead of its own host."""

    vault: Path
    bootstrap_servers: str
    prefix: str
    ports: Mapping[tuple[str, str], int]
    """By host name and container port."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    logs: dict[str, Path] = field(default_factory=dict)

    def variables(self, part: Part) -> dict[str, str]:
        """Return what the container's environment becomes here."""
        host = part.name.removeprefix("compose.")
        found = {name: self._here(value) for name, value in part.variables.items()}
        if part.service is not None:
            found["PEAKDESK_PORT"] = str(self.ports[host, "8000"])
            found["PEAKDESK_ADMIN_PORT"] = str(self.ports[host, "9000"])
            found["PEAKDESK_TRUSTED_PROXIES"] = "127.0.0.1"
        return found | {
            "PEAKDESK_HOST": "127.0.0.1",
            "PEAKDESK_KAFKA_TOPIC_PREFIX": self.prefix,
            "PATH": os.environ["PATH"],
        }

    def argv(self, part: Part) -> list[str]:
        """Return the container's command from our environment."""
        command, *arguments = part.command
        return [str(Path(sys.executable).with_name(command)), *map(self._here, arguments)]

    def do(self, part: Part, *more: str) -> str:
        """Run a task to its end; return what it printed."""
        done = subprocess.run(
            [*self.argv(part), *more],
            env=self.variables(part),
            capture_output=True,
            text=True,
            check=False,
            timeout=TASK_S,
            cwd="/",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, part: Part, log: Path) -> None:
        """Start a service."""
        self.logs[part.name] = log
        with log.open("wb") as output:
            self.running[part.name] = subprocess.Popen(
                self.argv(part), env=self.variables(part), stdout=output, stderr=output, cwd="/"
            )

    async def ready(self, part: Part) -> bool:
        """Ask what the image's health check asks, but from here.

        A program of its own for each look took a whole core from the services that were starting.
        """
        said = self.logs[part.name]
        assert self.running[part.name].poll() is None, f"{part.name} ended:\n{said.read_text()}"
        async with httpx2.AsyncClient(trust_env=False, timeout=READY_S, verify=NO_TLS) as http:
            try:
                port = self.variables(part)["PEAKDESK_ADMIN_PORT"]
                answer = await http.get(f"http://127.0.0.1:{port}/ready")
            except httpx2.TransportError:
                return False
        return answer.status_code == httpx2.codes.OK

    async def healthy(self, part: Part) -> bool:
        """Ask the image's own health check."""
        asking = await asyncio.create_subprocess_exec(
            sys.executable, HEALTHCHECK, env=self.variables(part)
        )
        return await asking.wait() == 0

    def stop(self) -> dict[str, int]:
        """Stop every service as Docker does; return the exit codes."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        codes = {name: process.wait(ENDED_S) for name, process in self.running.items()}
        self.running.clear()
        return codes

    def _here(self, value: str) -> str:
        value = value.replace(str(deployment.MOUNTED), str(self.vault))
        value = value.replace("kafka:9092", self.bootstrap_servers)
        return re.sub(
            r"//(\w+):(8000|9000)",
            lambda found: f"//127.0.0.1:{self.ports[found[1], found[2]]}",
            value,
        )


@pytest.fixture
def stack(infra: Infrastructure, tmp_path: Path) -> Iterator[Stack]:
    """The stack with its secrets and a database of its own; nothing is started."""
    database = asyncio.run(infrastructure.create_database(infra))
    prefix = f"t{secrets.token_hex(4)}."
    vault = tmp_path / "secrets"
    vault.mkdir()
    admin = f"{infra.admin_dsn.rsplit('/', 1)[0]}/{database.name}"
    (vault / "database_admin_url").write_text(admin)
    for service in DATABASE_SERVICES:
        (vault / f"database_url_{service}").write_text(database.dsn(service))
    deployment.write_secrets(vault, host=database.address, name=database.name)
    doors = list(product(deployed.NAMES, ("8000", "9000")))
    with HeldPorts(len(doors)) as held:
        ports = dict(zip(doors, held.numbers, strict=True))
        made = Stack(vault, infra.bootstrap_servers, prefix, ports)
        yield made
        for process in made.running.values():
            process.kill()
            process.wait(ENDED_S)
    asyncio.run(infrastructure.drop_database(infra, database.name))
    asyncio.run(infrastructure.delete_topics(infra, prefix))


@pytest.mark.timeout(900)
async def test_what_compose_says_starts_in_production_serves_and_stops(
    stack: Stack, tmp_path: Path
) -> None:
    parts = {part.name.removeprefix("compose."): part for part in deployed.composed()}
    prefix = ("--folder", str(stack.vault), "--topic-prefix", stack.prefix)

    assert f"{len(TOPICS) + len(GROUPS)} made" in stack.do(parts["setup"], *prefix)
    assert "topics: all there" in stack.do(parts["setup"], *prefix), "a second run changes nothing"
    assert '"created": 1' in stack.do(parts["administrator"])
    assert '"created": 0' in stack.do(parts["administrator"]), "his password is his own by now"
    assert '"created": 12' in stack.do(parts["seed"]), "a shop, ten people, quick replies"

    for name in (*DATABASE_SERVICES, "gateway"):
        stack.start(parts[name], tmp_path / f"{name}.log")
    for name in deployed.NAMES:
        await eventually(partial(stack.ready, parts[name]), within=READY_S, what=name)
        assert await stack.healthy(parts[name])

    password = (stack.vault / "seed_platform_password").read_text(encoding="utf-8").strip()
    gateway = f"http://127.0.0.1:{stack.ports['gateway', '8000']}"
    async with httpx2.AsyncClient(trust_env=False, timeout=READY_S, verify=NO_TLS) as http:
        login = {"login": "admin", "password": password}
        answer = await http.post(f"{gateway}/v1/sessions", json=login)
        hidden = await http.get(f"{gateway}/metrics")

    assert answer.status_code == httpx2.codes.CREATED, answer.text
    assert hidden.status_code == httpx2.codes.NOT_FOUND
    assert set(stack.stop().values()) == {0}
