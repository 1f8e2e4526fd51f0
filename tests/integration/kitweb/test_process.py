"""A service from start to stop: order, drain, death of a role, signals and exit codes."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import httpx2
import pytest
from fastapi import APIRouter

from kit.clock import SystemClock
from kit.metrics import Metrics
from kit.process import Addresses, App, Gate, Resource, Role, RoleDied, StartFailed, life, running
from kit.settings import ServiceSettings
from kit.web.app import create_app
from kit.web.health import Health, create_admin
from tests.web import NO_TLS

pytestmark = pytest.mark.integration

TIMEOUT_S = 60
"""For a process to come or to end, maybe on a machine that does much else."""


@dataclass
class Worker:
    """A role that writes down what happens to it."""

    name: str
    diary: list[str]
    fails_at: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self._note("start")

    async def run(self) -> None:
        await self.over.wait()
        self._note("run")

    async def stop(self) -> None:
        self._note("stop")
        self.over.set()

    def _note(self, what: str) -> None:
        self.diary.append(f"{what} {self.name}")
        if what == self.fails_at:
            raise RuntimeError(f"{what} failed")


def app_of(
    roles: Sequence[Role],
    *,
    router: APIRouter | None = None,
    drain: Sequence[Callable[[], object]] = (),
) -> App:
    clock, health = SystemClock(), Health()

    async def step(call: Callable[[], object]) -> None:
        call()

    return App(
        name="orders",
        settings=ServiceSettings(),
        http=create_app(title="t", version="1", routers=[router or APIRouter()], clock=clock),
        admin=create_admin(title="a", version="1", clock=clock, health=health, metrics=Metrics()),
        health=health,
        roles=roles,
        drain=[partial(step, call) for call in drain],
    )


async def test_roles_start_in_order_and_stop_in_reverse_after_the_drain() -> None:
    diary: list[str] = []
    app = app_of(
        [Worker("first", diary), Worker("second", diary)], drain=[lambda: diary.append("drain")]
    )
    async with running(app) as addresses, httpx2.AsyncClient(verify=NO_TLS) as client:
        assert diary == ["start first", "start second"]
        assert (await client.get(f"{addresses.admin}/ready")).status_code == 200
        assert (await client.get(f"{addresses.http}/ready")).status_code == 404
    # The work of what leans on another ends before that other is stopped.
    assert diary[2:] == ["drain", "stop second", "run second", "stop first", "run first"]


async def test_readiness_is_off_while_the_drain_lets_requests_finish() -> None:
    router = APIRouter()
    begun, finish = asyncio.Event(), asyncio.Event()

    @router.get("/slow")
    async def slow() -> dict[str, bool]:
        begun.set()
        await finish.wait()
        return {"done": True}

    app = app_of([], router=router)
    seen: list[int] = []
    async with httpx2.AsyncClient(verify=NO_TLS) as client:
        context = running(app)
        addresses = await context.__aenter__()

        async def drain() -> None:
            seen.append((await client.get(f"{addresses.admin}/ready")).status_code)
            finish.set()

        app.drain = [drain]
        asked = asyncio.create_task(client.get(f"{addresses.http}/slow"))
        await asyncio.wait_for(begun.wait(), TIMEOUT_S)
        await context.__aexit__(None, None, None)
        assert (await asked).json() == {"done": True}
        assert seen == [503]
        with pytest.raises(httpx2.ConnectError):
            await client.get(f"{addresses.admin}/live")


async def test_a_role_that_cannot_start_undoes_the_start() -> None:
    diary: list[str] = []
    roles = [Worker("first", diary), Worker("second", diary, fails_at="start")]
    with pytest.raises(StartFailed, match="Worker did not start"):
        async with running(app_of(roles)):
            pytest.fail("it must not start")
    assert diary == ["start first", "start second", "stop second", "stop first", "run first"]


@pytest.mark.parametrize("fails_at", ["run", ""])
async def test_a_role_that_ends_by_itself_turns_readiness_red(fails_at: str) -> None:
    worker = Worker("lonely", [], fails_at)
    app = app_of([worker])

    async def until_red() -> None:
        async with running(app) as addresses, httpx2.AsyncClient(verify=NO_TLS) as client:
            worker.over.set()
            await turned_red(client, addresses)

    with pytest.raises(RoleDied, match="Worker ended by itself"):
        await until_red()


async def test_one_role_that_fails_to_stop_does_not_keep_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(life, "STOP_LIMIT_S", 0.2)
    diary: list[str] = []
    roles = [Worker("first", diary), Worker("second", diary, fails_at="stop")]
    async with running(app_of(roles)):
        pass
    assert "stop first" in diary


async def test_what_a_slow_role_leaves_no_time_for_is_let_go_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(life, "STOP_LIMIT_S", 0.2)
    diary: list[str] = []

    async def never() -> None:
        await asyncio.Event().wait()

    async def close() -> None:
        await asyncio.sleep(0.05)
        diary.append("closed")

    pool, slow = Resource(stop=close), Resource(stop=never)

    async with running(app_of([pool, Worker("a", diary), slow])):
        pass

    assert diary == ["start a", "stop a", "run a", "closed"]


async def test_a_resource_is_opened_first_and_closed_last() -> None:
    diary: list[str] = []

    async def opened() -> None:
        diary.append("open")

    async def closed() -> None:
        diary.append("close")

    async with running(app_of([Resource(opened, closed), Worker("w", diary)])):
        assert diary == ["open", "start w"]
    assert diary.index("stop w") < diary.index("close")


async def test_a_gate_is_waited_for_longer_than_a_role_may_take_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(life, "START_LIMIT_S", 0.01)
    diary: list[str] = []
    known = asyncio.Event()

    async def opened() -> None:
        asyncio.get_running_loop().call_later(0.2, known.set)

    async with running(app_of([Resource(opened), Gate("directory", known), Worker("w", diary)])):
        assert known.is_set()
        assert diary == ["start w"]


async def test_several_services_live_in_one_process() -> None:
    async with (
        running(app_of([])) as one,
        running(app_of([])) as two,
        httpx2.AsyncClient(verify=NO_TLS) as client,
    ):
        assert len({one.http, one.admin, two.http, two.admin}) == 4
        for addresses in (one, two):
            assert (await client.get(f"{addresses.admin}/live")).status_code == 200


SERVICE = """
import asyncio, os
from kit.clock import SystemClock
from kit.metrics import Metrics
from kit.process import App, Gate, run
from kit.settings import ServiceSettings, load
from kit.web.app import create_app
from kit.web.health import Health, create_admin
from tests.web import NO_TLS

class Worker:
    async def start(self):
        print("ready", flush=True)
    async def run(self):
        if os.environ.get("DIE"):
            raise RuntimeError("no more")
        await asyncio.Event().wait()
    async def stop(self):
        if os.environ.get("REFUSES"):
            print("stopping", flush=True)
            await asyncio.sleep(0.5)
        print("stopped", flush=True)

class Refusing(Worker):
    async def start(self):
        raise RuntimeError("not today")
    async def stop(self):
        pass

def build():
    clock, health = SystemClock(), Health()
    gates = [Gate("directory", asyncio.Event())] if os.environ.get("WAITS") else []
    return App(
        name="orders", settings=load(ServiceSettings), health=health,
        roles=[Worker(), *gates, *([Refusing()] if os.environ.get("REFUSES") else [])],
        http=create_app(title="t", version="1", routers=[], clock=clock),
        admin=create_admin(title="a", version="1", clock=clock, health=health, metrics=Metrics()),
    )

run(build)
"""


async def turned_red(client: httpx2.AsyncClient, addresses: Addresses) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while (await client.get(f"{addresses.admin}/ready")).status_code == 200:  # noqa: ASYNC110 - asked from outside
            await asyncio.sleep(0.01)


async def launched(**environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVICE,
        env={"PATH": os.environ["PATH"], "PEAKDESK_LOG_FORMAT": "json", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(service: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await service.communicate()
    return service.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_process_in_order(number: signal.Signals) -> None:
    service = await launched()
    assert service.stderr is not None
    async with asyncio.timeout(TIMEOUT_S):
        while b"service.started" not in await service.stderr.readline():
            pass
    service.send_signal(number)
    code, out, err = await ended(service)
    assert code == 0
    assert out.split() == ["ready", "stopped"]
    assert "service.stopped" in err
    assert "Traceback" not in err


async def test_a_signal_ends_a_process_that_waits_for_others_to_start() -> None:
    service = await launched(WAITS="1")
    assert service.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        assert await service.stdout.readline() == b"ready\n"
    service.send_signal(signal.SIGTERM)
    code, out, err = await ended(service)
    assert (code, out) == (0, "stopped\n")
    assert "service.started" not in err
    assert "service.stopped" in err
    assert "Traceback" not in err


async def test_a_signal_does_not_cut_short_what_undoes_a_start_that_failed() -> None:
    service = await launched(REFUSES="1")
    assert service.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        while await service.stdout.readline() != b"stopping\n":
            pass
    service.send_signal(signal.SIGTERM)
    code, out, err = await ended(service)
    assert (code, out) == (1, "stopped\n")
    assert "Refusing did not start (RuntimeError): not today" in err
    assert "service.stopped" not in err


@pytest.mark.parametrize("waits", ["", "1"])
async def test_a_dead_role_ends_the_process_with_one_clear_reason(waits: str) -> None:
    code, _, err = await ended(await launched(DIE="1", WAITS=waits))
    assert code == 1
    assert "Worker ended by itself (RuntimeError: no more)" in err
    assert "Traceback" not in err


async def test_a_taken_port_ends_the_process_with_one_clear_sentence() -> None:
    async with running(app_of([])) as other:
        port = other.http.rsplit(":", 1)[1]
        code, _, err = await ended(await launched(PEAKDESK_PORT=port))
    assert code == 1
    assert "stop what listens there or change PEAKDESK_PORT" in err
    assert "Traceback" not in err


async def test_refused_settings_end_the_process_with_one_clear_sentence() -> None:
    code, out, err = await ended(await launched(PEAKDESK_PROT="80"))
    assert (code, out) == (2, "")
    assert err == (
        "peakdesk: PEAKDESK_PROT is not a setting of this service: "
        "remove it, or did you mean PEAKDESK_PORT?\n"
    )
