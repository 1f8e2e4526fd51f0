"""Where rounds and sessions begin, change hands and end, at one moment of one conversation.

Pure. Must not know which fact it is that comes, profiles' windows and caps, storage or Kafka.
"""

from collections.abc import Sequence

import msgspec

from contracts.people import PersonId, SenderKind
from services.monitor.calendar.domain import CalendarOf
from services.monitor.fold.standing import Standing
from services.monitor.profiles.domain import Reading, ReadingKey
from services.monitor.response import talks
from services.monitor.response.domain import Outcome, Round, Session, Settled
from services.monitor.response.talks import Talk, Track


class Readings:
    """What is judged by: readings, in the order of a talk's tracks, and shops' calendars."""

    def __init__(self, readings: Sequence[Reading], calendar_of: CalendarOf) -> None:
        self.readings = tuple(readings)
        self.keys: tuple[ReadingKey, ...] = tuple(reading.key for reading in readings)
        self.calendar_of = calendar_of
        self.shortest_gap_ms = min((reading.gap_ms for reading in readings), default=0)


class Settling(msgspec.Struct, gc=False):
    """A moment in one conversation at which rounds and first responses settle.

    `standing` is as it is after the fact. A msgspec struct: every record makes one.
    """

    by: Readings
    talk: Talk
    standing: Standing
    at_ms: int
    offset: int
    out: Settled

    def close_round(self, index: int, at_ms: int, outcome: Outcome) -> None:
        """Settle the open round, if there is one."""
        track = self.talk.tracks[index]
        if track is None or track.round_ms is None:
            return
        known, opened = self.standing, track.round_ms
        session = opened if track.session_ms is None else track.session_ms
        human = track.session_human_ms
        ended = Round(
            readings=[],
            conversation_id=known.name,
            shop_id=known.shop_id,
            buyer_id=known.buyer_id,
            agent_id=track.round_owner,
            opened_offset=track.round_offset,
            opened_ms=opened,
            closed_ms=at_ms,
            outcome=outcome,
            waiting_since_ms=track.waiting_ms,
            session_ms=session,
            session_offset=None if track.session_ms is None else track.session_offset,
            to_human_ms=session if human is None else human,
            born_offset=known.born_offset,
            settled_offset=self.offset,
        )
        talks.add(self.out.rounds, ended, self.by.keys[index])
        track.round_ms = track.round_owner = None

    def settle(self, index: int, replied_ms: int | None) -> None:
        """Settle the first response of the session, if there is one that is not."""
        track = self.talk.tracks[index]
        if track is None or track.session_ms is None or track.session_settled:
            return
        known, started = self.standing, track.session_ms
        if replied_ms is not None and replied_ms < self.day_end(started):
            track.session_owner = known.owner
        track.session_settled = True
        human = track.session_human_ms
        settled = Session(
            readings=[],
            conversation_id=known.name,
            shop_id=known.shop_id,
            buyer_id=known.buyer_id,
            agent_id=track.session_owner,
            started_offset=track.session_offset,
            started_ms=started,
            to_human_ms=started if human is None else human,
            assigned_ms=track.session_assigned_ms,
            replied_ms=replied_ms,
            born_offset=known.born_offset,
            settled_offset=self.offset,
        )
        talks.add(self.out.sessions, settled, self.by.keys[index])

    def day_end(self, at_ms: int) -> int:
        """Return the shop's midnight after a moment."""
        return self.by.calendar_of(self.standing.shop_id).day_end(at_ms)

    def is_today(self, at_ms: int | None) -> bool:
        """Tell whether a moment's day is not over yet."""
        return at_ms is not None and self.at_ms < self.day_end(at_ms)

    def may_change_hands(self, track: Track) -> bool:
        """Tell whether whose the session is may still change: open, and its day not over (N5)."""
        return not track.session_settled and self.is_today(track.session_ms)


class Sessions(Settling):
    """Sessions and rounds as they begin, go on, change hands and end."""

    def contact(self, kind: SenderKind, *, owned: bool) -> None:
        """Somebody speaks: sessions end or go on, a round opens or is answered."""
        talk = self.talk
        self.end_what_is_over()
        goes_on, talk.ended_ms = talk.ended_ms is not None, None
        asks, readings = kind is SenderKind.BUYER, self.by.readings
        for index, track in enumerate(talk.tracks):
            if track is None:
                continue
            if goes_on and track.session_ms is not None:
                self._give(track, self.standing.owner)
            if asks:
                self._ask(track)
            elif owned and kind in readings[index].effective:
                self.close_round(index, self.at_ms, Outcome.ANSWERED)
                self.settle(index, self.at_ms)
        if talk.contact_ms is None or talk.contact_ms < self.at_ms:
            talk.contact_ms = self.at_ms

    def change_owner(self, before: PersonId | None) -> None:
        """The seat goes to somebody else, or to nobody. Whose a past day's was it stays (N5).

        So does one that a person closed, until a contact continues it.
        """
        owner, over = self.standing.owner, self.talk.ended_ms is not None
        self.end_silent()
        for index, track in self.talk.known():
            if track.session_ms is not None and not over:
                self._give(track, owner)
            if track.round_ms is None:
                continue
            if before is not None:
                self.close_round(index, self.at_ms, Outcome.TRANSFERRED)
                track.round_ms, track.round_offset = self.at_ms, self.offset
                track.round_owner = owner
            elif self.is_today(track.round_ms):
                track.round_owner = owner

    def end_what_is_over(self) -> None:
        """End sessions that a contact now does not continue; begin readings that are new (H32)."""
        talk, ended = self.talk, self.talk.ended_ms
        if ended is None and talk.contact_ms is not None and talk.is_whole:
            if self.at_ms - talk.contact_ms >= self.by.shortest_gap_ms:
                self.end_silent()
            return  # as nearly always
        for index, reading in enumerate(self.by.readings):
            track = talk.tracks[index]
            if track is None:
                if self._surely_begins(reading):
                    talk.tracks[index] = Track()
            elif (
                ended is not None
                and track.session_ms is not None
                and self.at_ms - ended >= reading.rejoin_ms
            ):
                self._end(index, track, self.at_ms)
        self.end_silent()

    def end_silent(self) -> None:
        """End sessions whose gap has run out: not after a close.

        Nor while somebody waits (H36), unless the reading says so, as kuaimai's does.
        """
        contact = self.talk.contact_ms
        if contact is None or self.talk.ended_ms is not None:
            return
        for index, track in self.talk.known():
            reading = self.by.readings[index]
            if track.session_ms is None or self.at_ms - contact < reading.gap_ms:
                continue
            if track.round_ms is None or reading.gap_while_waiting:
                self._end(index, track, contact + reading.gap_ms)

    def _ask(self, track: Track) -> None:
        at_ms, owner = self.at_ms, self.standing.owner
        if track.session_ms is None:
            track.session_ms, track.session_offset = at_ms, self.offset
            track.session_settled, track.session_owner = False, owner
            track.session_human_ms = None if self.talk.to_human_ms is None else at_ms
            track.session_assigned_ms = None if owner is None else at_ms
        if track.round_ms is None:
            track.round_ms = track.waiting_ms = at_ms
            track.round_offset = track.waiting_offset = self.offset
            track.round_owner = owner

    def turn_to_human(self) -> None:
        """It is open, so people have it: from the start of sessions on that start meanwhile."""
        if self.talk.to_human_ms is None:
            self.talk.to_human_ms = self.at_ms
        for _, track in self.talk.known():
            if track.session_ms is not None and track.session_human_ms is None:
                track.session_human_ms = max(self.at_ms, track.session_ms)

    def close(self, sweep: str | None) -> None:
        """Only a person ends a session; a sweep for silence meets no open round (H36)."""
        self.end_silent()
        for index, _ in self.talk.known() if sweep != "idle" else ():
            self.close_round(index, self.at_ms, Outcome.CLOSED)
        if sweep is None and self.talk.ended_ms is None:
            self.talk.ended_ms = self.at_ms
        self.talk.to_human_ms = None
        self.talk.undecided = None

    def _give(self, track: Track, owner: PersonId | None) -> None:
        if owner is not None and track.session_assigned_ms is None:
            track.session_assigned_ms = self.at_ms
        if self.may_change_hands(track):
            track.session_owner = owner

    def _end(self, index: int, track: Track, at_ms: int) -> None:
        self.close_round(index, at_ms, Outcome.SILENT)
        self.settle(index, None)
        track.session_ms = None

    def _surely_begins(self, reading: Reading) -> bool:
        """Tell whether a contact now begins a session of a reading that the state does not know."""
        contact, ended = self.talk.contact_ms, self.talk.ended_ms
        if contact is None:
            return True
        if ended is not None:
            return self.at_ms - ended >= reading.rejoin_ms
        waiting = any(track.round_ms is not None for _, track in self.talk.known())
        return not waiting and self.at_ms - contact >= reading.gap_ms
