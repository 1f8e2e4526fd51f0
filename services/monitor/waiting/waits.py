"""Waiting thresholds of one partition: puts open waits on the wheel, says what fell due (H21).

Knows rounds and profiles; must not know when it is asked or how an alert is stored.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias

from contracts.monitor import WaitingThresholdPassed
from contracts.people import ConversationId
from services.monitor.directory.rules import Rules
from services.monitor.fold.states import Conversation
from services.monitor.profiles.domain import Profile, ReadingKey
from services.monitor.response.talks import Talk, Track, first_known
from services.monitor.waiting.domain import Firing
from services.monitor.waiting.wheel import Due, Wheel

SETTLE_MS: Final = 250
"""An answer received before the threshold may reach the log so much later; then nothing fires."""

LATE_LIMIT_MS: Final = 3_600_000
"""A threshold missed by more than an hour (the monitor was away) is not worth an alarm any more."""

_NONE: Final[frozenset[int]] = frozenset()

States: TypeAlias = Mapping[ConversationId, Conversation]


class Waits:
    """The open waits of one partition. A wait is named by the record that began it.

    Readings mostly wait since the same record, and share its place on the wheel. What fell due is
    returned until it is `told`: a firing that could not be stored is no firing, and by the next
    try the answer may have come.
    """

    def __init__(self, rules: Rules, partition: int, *, place: int) -> None:
        """`place`: where the measure of response times stands among a conversation's parts."""
        self._rules = rules
        self._partition = partition
        self._place = place
        self._wheel = Wheel()
        self._watched: dict[ConversationId, frozenset[int]] = {}
        self._taken: list[Due] = []
        self._offered: list[Due] = []
        self._through_ms = 0
        self._readings = tuple(reading.key for reading in rules.book.readings)
        self._thresholds = sorted(
            {
                threshold
                for versions in rules.book.versions.values()
                for profile in versions
                for threshold in profile.thresholds_s
            }
        )

    @property
    def threatens(self) -> bool:
        """Whether a threshold may fall due: of an answered wait too, until its slot comes round."""
        return bool(self._taken) or not self._wheel.is_empty

    def watch(self, states: Iterable[Conversation]) -> None:
        """Put each open wait that is not watched yet on the wheel."""
        for state in states:
            name = state.standing.name
            open_waits = {offset: since_ms for _, offset, since_ms in self._waiting(state)}
            known = self._watched.get(name, _NONE)
            if open_waits.keys() == known:
                continue
            for offset in open_waits.keys() - known:
                self._put_next(Due(name, offset, open_waits[offset], 0))
            if open_waits:
                self._watched[name] = frozenset(open_waits)
            else:
                self._watched.pop(name, None)

    def due(self, states: States, *, through_ms: int, now_ms: int, limit: int) -> list[Firing]:
        """Return what fell due, oldest first: the firings of `limit` waits at most.

        The partition is folded through `through_ms`, and `states` is what that gave.
        """
        self._through_ms = through_ms - SETTLE_MS
        self._taken += self._wheel.take(self._through_ms)
        self._taken = [due for due in self._taken if self._stands(states, due)]
        self._offered = self._taken[:limit]
        found: dict[tuple[int, int], Firing] = {}
        for due in self._offered:
            for firing in self._firings(states[due.conversation_id], due, now_ms):
                found.setdefault((firing.waiting_offset, firing.threshold_s), firing)
        return list(found.values())

    def told(self) -> None:
        """Let what `due` returned last be done: its waits go on to their next thresholds."""
        for due in self._offered:
            self._put_next(due)
        del self._taken[: len(self._offered)]
        self._offered = []

    def _waiting(self, state: Conversation) -> Iterator[tuple[ReadingKey, int, int]]:
        """Yield each reading under which the buyer waits, since which record and moment."""
        for reading, track in zip(self._readings, self._tracks(state), strict=True):
            if track is not None and track.round_ms is not None:
                yield reading, track.waiting_offset, track.waiting_ms

    def _tracks(self, state: Conversation) -> list[Track | None]:
        talk: Talk = state.parts[self._place]
        return talk.tracks

    def _stands(self, states: States, due: Due) -> bool:
        state = states.get(due.conversation_id)
        if state is not None and due.waiting_offset in (at for _, at, _ in self._waiting(state)):
            return True
        left = self._watched.get(due.conversation_id, _NONE) - {due.waiting_offset}
        if left:
            self._watched[due.conversation_id] = left
        else:
            self._watched.pop(due.conversation_id, None)
        return False

    def _firings(self, state: Conversation, due: Due, now_ms: int) -> Iterator[Firing]:
        """Yield the wait's thresholds that some profile has and that are not too late to tell."""
        ruling = self._ruling(state, due)
        for threshold_s in self._passed(due):
            due_ms = due.waiting_ms + threshold_s * 1000
            profiles = tuple(p.name for p in ruling if threshold_s in p.thresholds_s)
            if profiles and now_ms - due_ms <= LATE_LIMIT_MS:
                yield Firing(
                    self._partition,
                    self._since(state, due),
                    threshold_s,
                    profiles,
                    state.standing.shop_id,
                    state.standing.name,
                    due_ms,
                    max(0, now_ms - due_ms),
                    state.standing.owner,
                )

    def _passed(self, due: Due) -> list[int]:
        waited_s = (self._through_ms - due.waiting_ms) // 1000
        return [one for one in self._thresholds if due.threshold_s <= one <= waited_s]

    def _ruling(self, state: Conversation, due: Due) -> list[Profile]:
        """Return the shop's profiles whose own reading waits since that record, strictest first."""
        shop = self._rules.directory.shop(state.standing.shop_id)
        day = shop.calendar.day(due.waiting_ms)
        return sorted(
            (
                profile
                for reading, offset, _ in self._waiting(state)
                if offset == due.waiting_offset
                for profile in self._rules.book.ruling(reading, day)
                if profile.name in shop.profiles
            ),
            key=lambda profile: (profile.breach_s, profile.name),
        )

    def _since(self, state: Conversation, due: Due) -> int:
        """Return the record since which the buyer waits for a person."""
        track = first_known(self._tracks(state), self._rules.waits_for)
        if track is None or track.round_ms is None:
            return due.waiting_offset
        return track.waiting_offset

    def _put_next(self, due: Due) -> None:
        """Put the wait on the wheel for its first threshold behind those that were told."""
        passed = self._passed(due) if due.threshold_s else []
        after_s = passed[-1] if passed else due.threshold_s
        for threshold_s in self._thresholds:
            if threshold_s > after_s:
                self._wheel.put(due._replace(threshold_s=threshold_s))
                return


def alert_of(firing: Firing, state: Conversation, *, now: datetime) -> WaitingThresholdPassed:
    """Return the alert of a threshold; its id is the same whoever raises it."""
    waited_ms = firing.threshold_s * 1000
    return WaitingThresholdPassed(
        id=firing.alert_id,
        time=now,
        shop_id=firing.shop_id,
        conversation_id=firing.conversation_id,
        agent_id=state.standing.owner,
        profile=firing.profiles[0],
        profiles=firing.profiles,
        threshold_s=firing.threshold_s,
        opened_at=datetime.fromtimestamp((firing.due_ms - waited_ms) / 1000, UTC),
        late_ms=firing.late_ms,
    )
