"""Rule profiles: read from data files, chosen by date.

Pure but for reading its files once. No platform's number stands here: all are in the TOML files.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.people import SenderKind
from services.monitor.calendar.domain import DAY_MS
from services.monitor.profiles.domain import (
    Profile,
    ProfileName,
    Reading,
    ReadingKey,
    Unanswered,
    Window,
    WindowBy,
)

SHIPPED: Final = Path(__file__).parent
PROFILES_LIMIT: Final = 64
"""Profile versions that may be loaded; more is refused, each one is judged for every round."""

SESSION_GAP_S: Final = 3_600
"""A silence that ends a session where a profile says nothing else (H36)."""

RULING_KEPT: Final = 1_024
"""Days and readings whose profiles a book remembers; then it starts afresh."""


class ProfileRefused(ValueError):
    """A profile file cannot be used. The text names file, place and cure."""


@dataclass(frozen=True, slots=True)
class ProfileBook:
    """Every version of every profile, each name's versions ascending by date."""

    versions: Mapping[ProfileName, tuple[Profile, ...]]
    readings: tuple[Reading, ...]
    _ruling: dict[tuple[ReadingKey, date], tuple[Profile, ...]] = field(
        default_factory=dict, compare=False
    )

    @classmethod
    def of(cls, profiles: Iterable[Profile]) -> Self:
        """Build a book. Raises `ProfileRefused` if a name has two versions of one date."""
        by_name: dict[ProfileName, list[Profile]] = {}
        for profile in sorted(profiles, key=lambda p: (p.name, p.effective_from)):
            known = by_name.setdefault(profile.name, [])
            if known and known[-1].effective_from == profile.effective_from:
                raise ProfileRefused(
                    f"{profile.name} has two versions from {profile.effective_from}: keep one"
                )
            known.append(profile)
        distinct = {p.reading.key: p.reading for known in by_name.values() for p in known}
        return cls(
            {name: tuple(known) for name, known in by_name.items()},
            tuple(distinct[key] for key in sorted(distinct)),
        )

    @property
    def digests(self) -> Mapping[str, str]:
        """Return a hash of each profile's versions."""
        return {
            name: sha256("\n".join(one.digest for one in known).encode()).hexdigest()[:16]
            for name, known in self.versions.items()
        }

    @property
    def fingerprint(self) -> str:
        """Return a hash of all that the book says (H32)."""
        return sha256(repr(sorted(self.digests.items())).encode()).hexdigest()[:16]

    def under(self, readings: Iterable[ReadingKey], digests: Mapping[str, str]) -> Self:
        """Return what of this book was in force under an earlier one, with that one's readings."""
        mine = self.digests
        return replace(
            self,
            versions={
                name: known
                for name, known in self.versions.items()
                if digests.get(name) == mine[name]
            },
            readings=tuple(Reading.of(key) for key in sorted(readings)),
            _ruling={},
        )

    def in_force(self, name: ProfileName, day: date) -> Profile | None:
        """Return the version of a profile that rules on that local day."""
        for profile in reversed(self.versions.get(name, ())):
            if profile.effective_from <= day:
                return profile
        return None

    def names_ruling(self, reading: ReadingKey, day: date) -> frozenset[ProfileName]:
        """Return the names of the profiles in force on that day which read rounds this way."""
        return frozenset(profile.name for profile in self.ruling(reading, day))

    def ruling(self, reading: ReadingKey, day: date) -> tuple[Profile, ...]:
        """Return the profiles in force on that day which read rounds this way."""
        known = self._ruling.get((reading, day))
        if known is None:
            if len(self._ruling) >= RULING_KEPT:
                self._ruling.clear()
            found = (self.in_force(name, day) for name in self.versions)
            known = tuple(p for p in found if p is not None and p.reading.key == reading)
            self._ruling[reading, day] = known
        return known


def load(folder: Path | None = None) -> ProfileBook:
    """Read every `*.toml` of a folder (None: the shipped ones). Raises `ProfileRefused`."""
    place = folder or SHIPPED
    files = sorted(place.glob("*.toml"))
    if not 0 < len(files) <= PROFILES_LIMIT:
        raise ProfileRefused(
            f"{place} holds {len(files)} profile files: it needs 1 to {PROFILES_LIMIT}"
        )
    return ProfileBook.of(parse(file.read_text(encoding="utf-8"), file.name) for file in files)


def parse(text: str, source: str) -> Profile:
    """Read one profile. Raises `ProfileRefused` naming `source`."""
    try:
        return _File.model_validate(tomllib.loads(text)).profile()
    except tomllib.TOMLDecodeError as error:
        raise ProfileRefused(f"{source}: not TOML ({error}): correct that place") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise ProfileRefused(f"{source}: {where}: {first['msg']}") from None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Window(_Strict):
    by: WindowBy
    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", description="Excluded.")


class _Replies(_Strict):
    effective: frozenset[SenderKind] = Field(min_length=1)
    within_s: int = Field(gt=0)
    slow_s: int = Field(gt=0)
    first_within_s: int = Field(gt=0)


class _Rounds(_Strict):
    cap_s: int | None = Field(default=None, gt=0)
    unanswered: Unanswered
    transfer_counts: bool
    same_day_only: bool = False


class _Sessions(_Strict):
    session_gap_s: int | None = Field(default=None, gt=0)
    gap_while_waiting: bool = False
    rejoin_s: int = Field(ge=0)
    silence_s: int | None = Field(default=None, gt=0)
    """Of files before the session gap: a silence that ends the session also while one waits."""
    leave_messages_count: bool = True


class _Alerts(_Strict):
    thresholds_s: tuple[int, ...] = Field(min_length=1, max_length=8)
    breach_s: int = Field(gt=0)


class _File(_Strict):
    """The shape of a profile file."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    effective_from: date
    source: str
    window: _Window
    replies: _Replies
    rounds: _Rounds
    sessions: _Sessions
    alerts: _Alerts

    def profile(self) -> Profile:
        cap = self.rounds.cap_s
        if self.rounds.unanswered is Unanswered.CAP and cap is None:
            raise ProfileRefused(f"{self.name}: rounds.unanswered = cap needs rounds.cap_s")
        effective = self.replies.effective
        if not effective <= {SenderKind.AGENT, SenderKind.ASSIST_BOT}:
            raise ProfileRefused(f"{self.name}: replies.effective: only agent and assist_bot reply")
        gap_s, while_waiting = self._gap()
        return Profile(
            name=ProfileName(self.name),
            effective_from=self.effective_from,
            reading=Reading(
                effective=effective,
                gap_ms=gap_s * 1000,
                gap_while_waiting=while_waiting,
                rejoin_ms=self.sessions.rejoin_s * 1000,
            ),
            window=Window(_clock_ms(self.window.start), _clock_ms(self.window.end)),
            window_by=self.window.by,
            cap_ms=None if cap is None else cap * 1000,
            unanswered=self.rounds.unanswered,
            transfer_counts=self.rounds.transfer_counts,
            same_day_only=self.rounds.same_day_only,
            leave_messages_count=self.sessions.leave_messages_count,
            within_ms=self.replies.within_s * 1000,
            slow_ms=self.replies.slow_s * 1000,
            first_within_ms=self.replies.first_within_s * 1000,
            thresholds_s=tuple(sorted(set(self.alerts.thresholds_s))),
            breach_s=self.alerts.breach_s,
        )

    def _gap(self) -> tuple[int, bool]:
        """Return the session gap in seconds, and whether it also runs while a buyer waits."""
        sessions = self.sessions
        if sessions.silence_s is None:
            return sessions.session_gap_s or SESSION_GAP_S, sessions.gap_while_waiting
        if sessions.session_gap_s is not None:
            raise ProfileRefused(
                f"{self.name}: sessions.silence_s: session_gap_s is there, too: keep that one"
            )
        return sessions.silence_s, True


def _clock_ms(text: str) -> int:
    hours, minutes = text.split(":")
    return min(DAY_MS, (int(hours) * 60 + int(minutes)) * 60_000)
