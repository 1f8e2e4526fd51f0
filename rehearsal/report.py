"""What a run found, in numbers: the keys of the JSON report and the verdict on them (H26-H28).

Pure arithmetic on the ledger and on what the public API answered. Must not know how it is shown.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rehearsal.figures import Difference
from rehearsal.ledger import Findings, Ledger, Outcome, Sent

HELD_CODES: Final = frozenset({"blocked", "confirm"})
"""Answers of the wording gate: a planted insult that gets one was rightly kept from the buyer."""

ACKNOWLEDGED_SHARE: Final = 0.95
ACKNOWLEDGED_SHARE_CHAOS: Final = 0.80
ACHIEVED_SHARE: Final = 0.90
"""Below these shares a run proves nothing and is invalid (H28)."""

GRACE_S: Final = 5.0
"""A message answered so long after the end of play still counts as achieved: one that is under way
when a connection is cut needs a reconnect and a resend."""

SECONDS_CHARTED: Final = 3_600
"""Seconds of the run that the charts show one by one; a longer run is cut there and says so."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds; exact, from all samples. None where there was no sample."""

    p50: float | None
    p99: float | None
    p999: float | None

    @classmethod
    def of(cls, samples: Iterable[float]) -> "Percentiles":
        """Compute from samples in milliseconds."""
        ordered = sorted(samples)
        return cls(*(_nearest_rank(ordered, share) for share in (0.5, 0.99, 0.999)))


def _nearest_rank(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)


@dataclass(frozen=True, slots=True)
class FlagCount:
    """Planted rude turns against what the platform caught.

    `wrong` are flags on innocent turns of a labelled set, `unplanted` those of an unlabelled one.
    """

    expected: int
    raised: int
    wrong: int
    unplanted: int

    @property
    def missed(self) -> int:
        """Planted turns that nobody caught."""
        return self.expected - self.raised


@dataclass(frozen=True, slots=True)
class MonitorCheck:
    """The monitor's figures against the rehearsal's own."""

    compared: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Second:
    """One second of the run, for the charts."""

    at: int
    offered: int
    acknowledged: int
    ack_p99_ms: float | None
    screen_p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a report is made from. Times are seconds on the run's monotonic clock."""

    ledger: Ledger
    started: float
    seconds: float
    chaos: bool
    archive_lags_ms: Sequence[float]
    flags: FlagCount
    monitor: MonitorCheck
    title: str
    conversations: int
    agents: int


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one rehearsal."""

    title: str
    conversations: int
    agents: int
    seconds: float
    offered_per_s: float
    achieved_per_s: float
    sent: int
    acknowledged: int
    held: int
    findings: Findings
    send_to_ack_ms: Percentiles
    send_to_screen_ms: Percentiles
    archived: int
    archive_lag_ms: Percentiles
    monitor: MonitorCheck
    flags: FlagCount
    chaos: bool
    per_second: tuple[Second, ...] = field(repr=False)

    @property
    def invalid(self) -> tuple[str, ...]:
        """Reasons why the run proves nothing; empty for a valid run."""
        share = ACKNOWLEDGED_SHARE_CHAOS if self.chaos else ACKNOWLEDGED_SHARE
        due = self.sent - self.held
        slow = f"achieved only {self.achieved_per_s}/s of {self.offered_per_s}/s offered"
        checks = (
            (self.sent > 0, "nothing was sent"),
            (
                self.acknowledged >= share * due,
                f"only {self.acknowledged} of {due} messages were acknowledged (needs {share:.0%})",
            ),
            (
                self.achieved_per_s >= ACHIEVED_SHARE * self.offered_per_s,
                f"{slow}: the machine is too busy for it, end other programs or lower --rate",
            ),
            (self.monitor.compared > 0, "the monitor had no figure to compare"),
        )
        return tuple(reason for holds, reason in checks if not holds)

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the promises that did not hold; empty when all did."""
        counts = {
            "lost": self.findings.lost,
            "doubled": self.findings.doubled,
            "out of order": self.findings.out_of_order,
            "stored though refused": self.findings.stored_though_failed,
            "different": len(self.monitor.differences),
            "missed": self.flags.missed,
            "false": self.flags.wrong,
        }
        return tuple(f"{count} {name}" for name, count in counts.items() if count)

    @property
    def passed(self) -> bool:
        """Whether the run is valid and every promise held."""
        return not self.invalid and not self.broken

    def as_json(self) -> dict[str, Any]:
        """Return the report under the documented keys."""
        return {
            "passed": self.passed,
            "invalid": list(self.invalid),
            "title": self.title,
            "seconds": self.seconds,
            "conversations": self.conversations,
            "agents": self.agents,
            "chaos": self.chaos,
            "offered_per_s": self.offered_per_s,
            "achieved_per_s": self.achieved_per_s,
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "held": self.held,
            "lost": self.findings.lost,
            "doubled": self.findings.doubled,
            "out_of_order": self.findings.out_of_order,
            "stored_though_failed": self.findings.stored_though_failed,
            "repeat_frames": self.findings.repeat_frames,
            "send_to_ack_ms": asdict(self.send_to_ack_ms),
            "send_to_screen_ms": asdict(self.send_to_screen_ms),
            "archived": self.archived,
            "archive_lag_ms": asdict(self.archive_lag_ms),
            "monitor": {
                "compared": self.monitor.compared,
                "different": len(self.monitor.differences),
                "differences": [asdict(found) for found in self.monitor.differences],
            },
            "flags": {
                "expected": self.flags.expected,
                "raised": self.flags.raised,
                "missed": self.flags.missed,
                "false": self.flags.wrong,
                "unplanted": self.flags.unplanted,
            },
            "examples": list(self.findings.examples),
        }


def make(run: Run) -> Report:
    """Judge a finished run."""
    sent = list(run.ledger.sent.values())
    acknowledged = [m for m in sent if m.outcome is Outcome.OK]
    held = [m for m in sent if was_held(m)]
    in_time = [
        m
        for m in (*acknowledged, *held)
        if m.answered is not None and m.answered <= run.started + run.seconds + GRACE_S
    ]
    stored = {shown.serial for items in run.ledger.history.values() for shown in items}
    return Report(
        title=run.title,
        conversations=run.conversations,
        agents=run.agents,
        seconds=run.seconds,
        offered_per_s=round(len(sent) / run.seconds, 1),
        achieved_per_s=round(len(in_time) / run.seconds, 1),
        sent=len(sent),
        acknowledged=len(acknowledged),
        held=len(held),
        findings=run.ledger.judge(),
        send_to_ack_ms=Percentiles.of(_ack_ms(acknowledged)),
        send_to_screen_ms=Percentiles.of(_screen_ms(acknowledged)),
        archived=len(stored & run.ledger.sent.keys()),
        archive_lag_ms=Percentiles.of(run.archive_lags_ms),
        monitor=run.monitor,
        flags=run.flags,
        chaos=run.chaos,
        per_second=tuple(_per_second(sent, run)),
    )


def was_held(message: Sent) -> bool:
    """Whether the gate kept a planted insult from the buyer."""
    return message.planted is not None and message.code in HELD_CODES


def was_read(message: Sent) -> bool:
    """Whether the platform has surely judged the message's words."""
    return message.outcome is Outcome.OK or was_held(message)


def _ack_ms(messages: Iterable[Sent]) -> list[float]:
    return [(m.answered - m.due) * 1_000 for m in messages if m.answered is not None]


def _screen_ms(messages: Iterable[Sent]) -> list[float]:
    return [(m.shown - m.due) * 1_000 for m in messages if m.shown is not None]


def _per_second(sent: Sequence[Sent], run: Run) -> Iterable[Second]:
    seconds: dict[int, list[Sent]] = {}
    for message in sent:
        seconds.setdefault(int(message.due - run.started), []).append(message)
    for at in range(min(math.ceil(run.seconds), SECONDS_CHARTED)):
        due = seconds.get(at, [])
        acknowledged = [m for m in due if m.outcome is Outcome.OK]
        yield Second(
            at=at,
            offered=len(due),
            acknowledged=len(acknowledged),
            ack_p99_ms=Percentiles.of(_ack_ms(acknowledged)).p99,
            screen_p99_ms=Percentiles.of(_screen_ms(acknowledged)).p99,
        )
