"""Waiting thresholds of one partition: puts open waits on the wheel, says what fell due (H21).

Knows rounds and profiles; must not know when it is asked or how an alert is stored.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from contracts.monitor import WaitingThresholdPassed
from contracts.people import ConversationId
from kit.ids import derived_id
from services.monitor.directory.rules import Rules
from services.monitor.fold.states import Conversation
from services.monitor.profiles.domain import Profile
from services.monitor.response.talks import Talk
from services.monitor.waiting.domain import Firing
from services.monitor.waiting.wheel import LATE_LIMIT_MS, Due, Wheel

SETTLE_MS: Final = 250
"""An answer received before the threshold may reach the log so much later; then nothing fires."""


class Waits:
    """The open waits of one partition. A wait is named by the record that began it."""

    def __init__(self, rules: Rules, partition: int, *, place: int) -> None:
        """`place`: where the measure of response times stands among a conversation's parts."""
        self._rules = rules
        self._partition = partition
        self._place = place
        self._wheel = Wheel()
        self._watched: dict[tuple[ConversationId, int], int] = {}
        self._indexes = {reading.key: i for i, reading in enumerate(rules.book.readings)}
        self._thresholds = {
            reading.key: sorted(
                {
                    threshold
                    for versions in rules.book.versions.values()
                    for profile in versions
                    if profile.reading == reading
                    for threshold in profile.thresholds_s
                }
            )
            for reading in rules.book.readings
        }

    def watch(self, states: Iterable[Conversation], now_ms: int) -> None:
        """Put each open wait that is not watched yet on the wheel."""
        for state in states:
            for reading, index in self._indexes.items():
                name, track = state.standing.name, self._talk(state).tracks[index]
                if track is None or track.round_ms is None:
                    continue
                if self._watched.get((name, index)) == track.waiting_offset:
                    continue
                self._watched[name, index] = track.waiting_offset
                oldest = (now_ms - LATE_LIMIT_MS - track.waiting_ms) // 1000
                due = Due(name, reading, track.waiting_offset, track.waiting_ms, 0)
                self._put_next(due, after_s=max(0, oldest))

    def due(
        self, states: Mapping[ConversationId, Conversation], *, through_ms: int, now_ms: int
    ) -> list[Firing]:
        """Return what fell due. The partition is folded past `through_ms`."""
        found = []
        for due in self._wheel.take(through_ms - SETTLE_MS):
            state = states.get(due.conversation_id)
            index = self._indexes[due.reading]
            if state is None or not _stands(self._talk(state), index, due):
                self._watched.pop((due.conversation_id, index), None)
                continue
            self._put_next(due, after_s=due.threshold_s)
            found += [
                Firing(
                    self._partition,
                    due.waiting_offset,
                    profile.name,
                    due.threshold_s,
                    state.standing.shop_id,
                    state.standing.name,
                    due.due_ms,
                    max(0, now_ms - due.due_ms),
                )
                for profile in self._ruling(state, due)
            ]
        return found

    def _ruling(self, state: Conversation, due: Due) -> list[Profile]:
        shop = self._rules.directory.shop(state.standing.shop_id)
        day = shop.calendar.day(due.waiting_ms)
        return [
            profile
            for profile in self._rules.book.ruling(due.reading, day)
            if profile.name in shop.profiles and due.threshold_s in profile.thresholds_s
        ]

    def _talk(self, state: Conversation) -> Talk:
        talk: Talk = state.parts[self._place]
        return talk

    def _put_next(self, due: Due, *, after_s: int) -> None:
        for threshold in self._thresholds[due.reading]:
            if threshold > after_s:
                self._wheel.put(due._replace(threshold_s=threshold))
                return


def alert_of(firing: Firing, state: Conversation, *, now: datetime) -> WaitingThresholdPassed:
    """Return the alert of a threshold; its id is the same whoever raises it."""
    waited_ms = firing.threshold_s * 1000
    return WaitingThresholdPassed(
        id=derived_id(
            "waiting_threshold",
            firing.conversation_id,
            str(firing.waiting_offset),
            firing.profile,
            str(firing.threshold_s),
        ),
        time=now,
        shop_id=firing.shop_id,
        conversation_id=firing.conversation_id,
        agent_id=state.standing.owner,
        profile=firing.profile,
        threshold_s=firing.threshold_s,
        opened_at=datetime.fromtimestamp((firing.due_ms - waited_ms) / 1000, UTC),
        late_ms=firing.late_ms,
    )


def _stands(talk: Talk, index: int, due: Due) -> bool:
    track = talk.tracks[index]
    if track is None or track.round_ms is None:
        return False
    return track.waiting_offset == due.waiting_offset
