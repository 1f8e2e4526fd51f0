"""The stage of a fault: the platform, the network before it, a rehearsal under way, and probes.

Plays one fault against one rehearsal and puts what came of it into a row. Must not know how a fault
is made.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from contracts.topics import CHAT
from kit.bus import deadletter
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Position
from rehearsal import dialogues
from rehearsal.api import Api
from rehearsal.client import GIVEN_UP
from rehearsal.ledger import Sent
from rehearsal.report import ACKNOWLEDGED_SHARE, Report
from rehearsal.run import ANSWER_S, Plan, Progress, Rehearsal
from tests.faults.network import Network
from tests.faults.probes import Probes, Recovery
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import World

HIRED_WITHIN_S: Final = 60.0

PATIENCE_S: Final = (0.5, 4.0)
"""Bounds of the full-jitter wait of people who reconnect, shorter than a client's by the book: with
up to 30 s an agent may be away for so long that he loses his seats (H16), which no fault is about.
"""

CHAT_GROUPS: Final = ("conversation.archive", "conversation.routing", "monitor.fold")
"""The groups that read chat; what they set aside must be what was planted."""


@dataclass(frozen=True, slots=True)
class Outage:
    """When something was broken and when it was whole again, on the monotonic clock."""

    broken_at: float
    healed_at: float


@dataclass(slots=True)
class Stage:
    """What a fault may use while the rehearsal goes on."""

    platform: Platform
    network: Network
    world: World
    probes: Probes
    planted: set[Position] = field(default_factory=set)
    """Where poison was put into the log."""

    async def kill(self, name: str) -> None:
        """Kill -9."""
        await asyncio.to_thread(self.platform.kill, name)

    async def start(self, name: str) -> None:
        """Start a service, Kafka or PostgreSQL again; returns when it is ready."""
        if name in {"kafka-0", "postgres"}:
            await asyncio.to_thread(self.platform.start_infrastructure)
        else:
            await asyncio.to_thread(self.platform.start, name)


Act = Callable[[Stage], Coroutine[Any, Any, Outage]]
Setting = Callable[[Platform, Network], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def as_it_is(_platform: Platform, _network: Network) -> AsyncIterator[None]:
    """The platform as `up` starts it."""
    yield


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: how it is made, and in which setting."""

    name: str
    act: Act
    setting: Setting = as_it_is


@dataclass(frozen=True, slots=True)
class Load:
    """The rehearsal during which a fault happens, `at_s` after its first message was due."""

    rate: float
    seconds: float
    at_s: float
    within_s: float
    answers_within_s: float = ANSWER_S
    seed: int = 11
    backoff_s: tuple[float, float] = PATIENCE_S
    """`within_s`: when everything must be over and judged; what hangs fails then and says where.
    `answers_within_s`: how long the last senders wait, from the end of the timetable on; a fault
    that goes on behind the timetable needs its own length more, whatever shares the machine."""
    zone: str = "Asia/Shanghai"
    """The time zone of the probes' shop: whether its midnight falls into the play."""

    def sown(self, seed: int) -> "Load":
        """Return the same load with another timetable and other people."""
        return replace(self, seed=seed)


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one fault."""

    fault: str
    report: Report
    recovery: Recovery
    unanswered: tuple[Sent, ...]
    """Messages whose sender never got a final answer: no client may wait for ever."""
    never: int
    """Trials of the probes that never succeeded."""
    wrong_letters: int
    """Dead letters that were not planted, and planted ones that were not set aside."""

    @property
    def held(self) -> bool:
        """Whether every promise held, in a run with enough `ok` to prove it.

        How late the last `ok` came is not judged: the fault may outlast the timetable.
        """
        report = self.report
        failed = report.broken or self.unanswered or self.never or self.wrong_letters
        due = report.sent - report.held
        proves = report.acknowledged >= ACKNOWLEDGED_SHARE * due and report.monitor.compared > 0
        return proves and not failed

    @property
    def why(self) -> str:
        """What did not hold, in words."""
        report = self.report
        return "; ".join(
            (
                *report.invalid,
                *report.broken,
                *report.findings.examples[:5],
                *map(str, report.monitor.differences[:3]),
                f"{len(self.unanswered)} sends without an answer {self.unanswered[:3]}",
                f"{self.never} trials without an end",
                f"{self.wrong_letters} dead letters too many or too few",
            )
        )


async def play(platform: Platform, fault: Fault, load: Load) -> Row:
    """Rehearse under one fault and judge it. Raises `AssertionError` past the load's limit."""
    async with (
        Network(platform.known.ports.service("gateway")) as network,
        fault.setting(platform, network),
        Api(network.url) as api,
    ):
        admin = await api.sign_in(*platform.admin)
        world = World(api, admin)
        probes = await Probes.opened(world, zone=load.zone)
        stage = Stage(platform, network, world, probes)
        before = await _letters(platform)
        plan = Plan(
            dialogues.load(),
            load.rate,
            load.seconds,
            seed=load.seed,
            backoff_s=load.backoff_s,
            answers_within_s=load.answers_within_s,
        )
        progress = Progress()
        rehearsing = asyncio.create_task(Rehearsal(api, admin, plan, progress=progress).run())
        probing = asyncio.create_task(stage.probes.run())
        try:
            async with _limit(load, progress):
                outage = await _perform(stage, fault, rehearsing, progress=progress, at_s=load.at_s)
                report = await rehearsing
                probing.cancel()
                await stage.probes.settle()
        finally:
            for task in (rehearsing, probing):
                task.cancel()
            await asyncio.gather(rehearsing, probing, return_exceptions=True)
            await stage.probes.close()
            await world.close()
        after = await _letters(platform)
        return Row(
            fault=fault.name,
            report=report,
            recovery=stage.probes.recovery(outage.broken_at, outage.healed_at),
            unanswered=tuple(
                sent
                for sent in progress.ledger.sent.values()
                if sent.answered is None or sent.code in GIVEN_UP
            ),
            never=len(stage.probes.late()),
            wrong_letters=_wrong(before, after, stage.planted),
        )


@asynccontextmanager
async def _limit(load: Load, progress: Progress) -> AsyncIterator[None]:
    """Fail, and say where it stood, if it is not over in the load's time."""
    limit = asyncio.timeout(load.within_s)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise AssertionError(
            f"not over within {load.within_s:g} s: {progress.phase},"
            f" {progress.done} of {progress.sent} sends had ended"
        ) from error


async def _perform(
    stage: Stage, fault: Fault, rehearsing: asyncio.Task[Report], *, progress: Progress, at_s: float
) -> Outage:
    await eventually(
        lambda: progress.started is not None or rehearsing.done(), within=HIRED_WITHIN_S
    )
    if progress.started is None:
        await rehearsing  # raises why
        raise AssertionError("the rehearsal ended before it began")
    await asyncio.sleep(max(0.0, progress.started + at_s - time.monotonic()))
    acting = asyncio.create_task(fault.act(stage))
    await asyncio.wait({acting, rehearsing}, return_when=asyncio.FIRST_EXCEPTION)
    if not acting.done():
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)
        await rehearsing  # raises why
    return await acting


async def _letters(platform: Platform) -> dict[str, set[Position]]:
    bus = KafkaBus(platform.known.bootstrap_servers, client_id="peakdesk-faults")
    try:
        return {
            group: {
                Position(letter.partition, letter.offset)
                for letter in await deadletter.letters(bus, group)
                if letter.topic == CHAT.name
            }
            for group in CHAT_GROUPS
        }
    finally:
        with suppress(TimeoutError):
            await bus.close()


def _wrong(
    before: dict[str, set[Position]], after: dict[str, set[Position]], planted: set[Position]
) -> int:
    """Count what was set aside and not planted, and what was planted and not set aside."""
    new = {group: after[group] - before[group] for group in after}
    strange = sum(len(places - planted) for places in new.values())
    return strange + len(planted - new["conversation.archive"])
