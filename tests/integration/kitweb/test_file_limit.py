"""A process with few files: its door says 503 before accepting fails, and accepting never spins."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.kitweb.raw import Connection
from tests.waiting import eventually

pytestmark = pytest.mark.integration

TIMEOUT_S = 20
WAIT_S = 1.0
"""How long the server is watched for spinning."""

SERVICE = """
import asyncio, os, resource, sys
from kit.clock import SystemClock
from kit.metrics import Metrics
from kit.process import App, running
from kit.settings import ServiceSettings
from kit.web.app import create_app
from kit.web.health import Health, create_admin
import uvloop

async def main():
    clock, health = SystemClock(), Health()
    app = App(
        name="orders", settings=ServiceSettings(), health=health,
        http=create_app(title="t", version="1", routers=[], clock=clock),
        admin=create_admin(title="a", version="1", clock=clock, health=health, metrics=Metrics()),
    )
    async with running(app) as addresses:
        print(addresses.http.rsplit(":", 1)[1], *resource.getrlimit(resource.RLIMIT_NOFILE))
        if len(sys.argv) > 1:
            resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), 300))
        sys.stdout.flush()
        await asyncio.Event().wait()

uvloop.run(main())
"""


class Process:
    """The service in a process of its own."""

    def __init__(self, number: int, port: int, limit: int) -> None:
        self.port, self.limit = port, limit
        self._number = number

    async def connect(self) -> Connection:
        return Connection(*await asyncio.open_connection("127.0.0.1", self.port))

    def cpu_s(self) -> float:
        """Return the processor time that it has taken so far."""
        stat = Path(f"/proc/{self._number}/stat").read_text(encoding="ascii")
        fields = stat.rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def limited(soft: int, hard: int, *arguments: str) -> AsyncIterator[Process]:
    shell = f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$0" "$@"'
    found = await asyncio.create_subprocess_exec(
        *("sh", "-c", shell, sys.executable, "-c", SERVICE, *arguments),
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert found.stdout is not None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while not (words := (await found.stdout.readline()).split()) or not words[0].isdigit():
                assert found.returncode is None
        yield Process(found.pid, int(words[0]), int(words[1]))
    finally:
        found.kill()
        await found.communicate()


async def served(process: Process) -> bool:
    connection = await process.connect()
    await connection.send(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    try:
        return (await connection.answer())[0] == 404
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    finally:
        connection.writer.close()


async def test_a_door_without_room_says_so_before_accepting_fails() -> None:
    async with limited(100, 300) as process:
        assert process.limit == 300
        inside = [await process.connect() for _ in range(150)]
        for _ in range(30):
            surplus = await process.connect()
            assert await surplus.refusal() == (503, "unavailable")
            surplus.writer.close()
        for connection in inside:
            connection.writer.close()
        await eventually(lambda: served(process))


async def test_accepting_without_files_costs_nothing_and_ends_with_the_crowd() -> None:
    async with limited(300, 300, "60") as process:
        crowd = [await process.connect() for _ in range(120)]
        before = process.cpu_s()
        await asyncio.sleep(WAIT_S)
        assert process.cpu_s() - before < WAIT_S / 4
        for connection in crowd:
            connection.writer.close()
        await eventually(lambda: served(process))
