"""A rule profile as its data file says it, in milliseconds. Reads the files, not their reader."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.faults.figures.log import EPOCH, ms

SHOP_ZONE: Final = ZoneInfo("Asia/Shanghai")

PROFILES: Final = Path(__file__).resolve().parents[3] / "profiles" / "shipped"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one profile counts.

    `unanswered` says how such a round is averaged: `cap`, `elapsed` (the time that went by on its
    day) or `exclude` (not at all). It holds for the days `[begins, ends)` of a shop of this `zone`.
    """

    name: str
    begins: date
    window_by: str
    opens: int
    closes: int
    effective: frozenset[str]
    within: int
    slow: int
    first_within: int
    cap: int | None
    unanswered: str
    transfer_counts: bool
    same_day_only: bool
    gap: int
    gap_while_waiting: bool
    rejoin: int
    leave_messages_count: bool
    slow_times: int = 3
    ends: date = date.max
    zone: ZoneInfo = SHOP_ZONE

    def day_of(self, at: int) -> date:
        """Return the shop's local day of a moment."""
        return day_of(at, self.zone)

    def time_of(self, at: int) -> int:
        """Return the shop's local time of a moment, in milliseconds of its day."""
        local = _local(at, self.zone)
        minutes = local.hour * 60 + local.minute
        return (minutes * 60 + local.second) * 1_000 + local.microsecond // 1_000

    def midnight_after(self, at: int) -> int:
        """Return the end of the local day of a moment: the first one that is not in it."""
        return ms(datetime.combine(self.day_of(at) + timedelta(days=1), time(), self.zone))

    def holds_on(self, at: int) -> bool:
        """Whether this version is the one in force on the day of a moment."""
        return self.begins <= self.day_of(at) < self.ends


def in_force(versions: Iterable[Rule]) -> list[Rule]:
    """Return the versions of one name, each until the next one begins."""
    known = sorted(versions, key=lambda one: one.begins)
    ends = [one.begins for one in known[1:]] + [date.max]
    return [replace(one, ends=end) for one, end in zip(known, ends, strict=True)]


def shipped(folder: Path = PROFILES) -> tuple[Rule, ...]:
    """Return the rule of every data file, by name."""
    texts = sorted(folder.glob("*.toml"))
    return tuple(rule(tomllib.loads(text.read_text(encoding="utf-8"))) for text in texts)


def rule(data: Mapping[str, Any]) -> Rule:
    """Return the rule of one data file."""
    window, replies, rounds = data["window"], data["replies"], data["rounds"]
    sessions, slow = data["sessions"], data.get("slow", {})
    # `silence_s` of an older file is a gap that runs while a buyer waits, too (N9).
    silence = sessions.get("silence_s")
    return Rule(
        name=data["name"],
        begins=data["effective_from"],
        window_by=window["by"],
        opens=_clock(window["start"]),
        closes=_clock(window["end"]),
        effective=frozenset(replies["effective"]),
        within=1_000 * replies["within_s"],
        slow=1_000 * slow.get("over_s", replies.get("slow_s", 120)),
        first_within=1_000 * replies["first_within_s"],
        cap=1_000 * rounds["cap_s"] if "cap_s" in rounds else None,
        unanswered=rounds["unanswered"],
        transfer_counts=rounds["transfer_counts"],
        same_day_only=rounds["same_day_only"],
        gap=1_000 * sessions.get("session_gap_s", silence or 3_600),
        gap_while_waiting=sessions.get("gap_while_waiting", silence is not None),
        rejoin=1_000 * sessions["rejoin_s"],
        leave_messages_count=sessions["leave_messages_count"],
        slow_times=slow.get("times", 3),
    )


def _clock(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    return (hours * 60 + minutes) * 60_000


def day_of(at: int, zone: ZoneInfo = SHOP_ZONE) -> date:
    """Return the local day of a moment."""
    return _local(at, zone).date()


def _local(at: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(milliseconds=at)).astimezone(zone)
