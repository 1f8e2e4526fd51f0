"""What holds for every order of records: totals add up, repeats and replays change nothing."""

import itertools
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.people import PersonId, SenderKind, ShopId
from services.monitor.calendar.domain import Calendar
from services.monitor.fold.history import REPEAT_MINUTES, DedupWindow
from services.monitor.profiles import book as profiles
from services.monitor.response import scoring
from services.monitor.response.domain import Outcome, Round, Score
from services.monitor.response.rollups import CounterKey
from tests.unit.monitor.told import Told, machine

pytestmark = pytest.mark.unit

BOOK = profiles.load()
CALENDAR = Calendar(ZoneInfo("Asia/Shanghai"))
SHOP = ShopId("shop")
AGENTS = ["anne", "ben", "cleo"]
START_MS = 1_794_355_200_000

Step = tuple[int, str, int, int]
"""Conversation, what happens, who, milliseconds since the step before."""

steps = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(
            ["buyer", "agent", "auto", "assist_bot", "seat", "queue", "close", "reopen"]
        ),
        st.integers(0, 2),
        st.sampled_from([0, 800, 31_000, 125_000, 601_000, 40_000_000]),
    ),
    max_size=60,
)


class Log:
    """Folds steps as the service does; keeps what was settled and not withdrawn since."""

    def __init__(self) -> None:
        self.machine = machine(BOOK.readings)
        self.chats: dict[int, Told] = {}
        self.recent = DedupWindow()

    def fold(self, numbered: Iterable[tuple[int, Step]]) -> "Log":
        for offset, step in numbered:
            if step[1] in set(SenderKind) and self.recent.repeated(f"{offset}", step[3]):
                continue
            self._step(offset, step)
        return self

    def _step(self, offset: int, step: Step) -> None:
        number, what, who, at_ms = step
        agent = PersonId(AGENTS[who])
        chat = self.chats.get(number)
        if chat is None:
            buyer = PersonId(f"b{number}")
            chat = self.chats[number] = Told(
                self.machine, str(number), SHOP, buyer, offset=offset - 1
            )
        chat.offset = offset - 1
        match what:
            case "seat":
                chat.assigned(at_ms, agent, version=offset)
            case "queue":
                chat.queued(at_ms, version=offset)
            case "close":
                chat.closed(at_ms, version=offset)
            case "reopen":
                chat.reopened(at_ms, version=offset)
            case _:
                kind = SenderKind(what)
                chat.says(kind, at_ms, chat.buyer_id if kind is SenderKind.BUYER else agent)

    @property
    def rounds(self) -> list[Round]:
        """Return what was settled and not withdrawn since, one conversation after the other."""
        return [ended for chat in self.chats.values() for ended in chat.rounds]

    @property
    def totals(self) -> dict[CounterKey, Score]:
        """Return what the rounds add up to."""
        totals: dict[CounterKey, Score] = {}
        for ended in self.rounds:
            day = CALENDAR.day(ended.opened_ms)
            moments = scoring.RoundMoments.of(CALENDAR, ended)
            ruling = [p for reading in ended.readings for p in BOOK.ruling(reading, day)]
            for profile in ruling:
                score = scoring.score_round(profile, ended, moments)
                if score is not None:
                    key = CounterKey(SHOP, profile.name, day, ended.agent_id)
                    totals[key] = totals.get(key, Score()) + score
        return totals


def numbered(script: list[Step]) -> list[tuple[int, Step]]:
    """Give each step its offset and its time."""
    at_ms, log = START_MS, []
    for offset, (chat, what, who, pause) in enumerate(script, start=1):
        at_ms += pause
        log.append((offset, (chat, what, who, at_ms)))
    return log


@given(steps)
@settings(deadline=None)
def test_case_12_two_monitors_that_share_the_conversations_add_up_to_one(
    script: list[Step],
) -> None:
    log = numbered(script)
    whole = Log().fold(log)

    even = Log().fold(row for row in log if row[1][0] % 2 == 0)
    odd = Log().fold(row for row in log if row[1][0] % 2)
    both = {*even.totals, *odd.totals}

    added = {key: even.totals.get(key, Score()) + odd.totals.get(key, Score()) for key in both}
    assert added == whole.totals


@given(steps, st.data())
@settings(deadline=None)
def test_case_11_messages_delivered_again_change_no_figure(
    script: list[Step], data: st.DataObject
) -> None:
    log = numbered(script)
    repeated = [row for row in log for _ in range(data.draw(st.integers(1, 3)))]

    assert Log().fold(repeated).totals == Log().fold(log).totals


@given(steps, st.integers(0, 60))
@settings(deadline=None)
def test_a_state_stored_and_loaded_goes_on_as_if_nothing_happened(
    script: list[Step], cut: int
) -> None:
    log = numbered(script)
    taken_over = Log().fold(log[:cut])
    for chat in taken_over.chats.values():
        chat.talk = taken_over.machine.decode(taken_over.machine.encode(chat.talk))

    assert taken_over.fold(log[cut:]).rounds == Log().fold(log).rounds


@given(steps)
@example([(0, "buyer", 0, 0), (0, "agent", 0, 601_000), (0, "reopen", 0, 0), (0, "buyer", 0, 0)])
@settings(deadline=None)
def test_rounds_of_one_reading_and_conversation_never_overlap(script: list[Step]) -> None:
    rounds = Log().fold(numbered(script)).rounds

    for reading in BOOK.readings:
        for chat in range(4):
            mine = [
                r for r in rounds if reading.key in r.readings and r.conversation_id == str(chat)
            ]
            for earlier, later in itertools.pairwise(mine):
                assert earlier.closed_ms <= later.opened_ms
                assert earlier.opened_offset < later.opened_offset


@given(steps)
@settings(deadline=None)
def test_the_buyer_facing_clock_is_unbroken_by_transfers(script: list[Step]) -> None:
    rounds = Log().fold(numbered(script)).rounds

    waiting: dict[tuple[str, str], int] = {}
    facts = [(reading, ended) for ended in rounds for reading in ended.readings]
    for reading, ended in facts:
        wait = reading, str(ended.conversation_id)
        since = waiting.pop(wait, ended.opened_ms)
        assert ended.waiting_since_ms == since
        if ended.outcome is Outcome.TRANSFERRED:
            waiting[wait] = since


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 400_000)), max_size=80), st.data())
@settings(deadline=None)
def test_a_set_of_ids_rebuilt_from_the_log_answers_as_the_lost_one(
    deliveries: list[tuple[int, int]], data: st.DataObject
) -> None:
    at_ms, log = START_MS, []
    for number, pause in deliveries:
        at_ms += pause
        log.append((str(number), at_ms))
    cut = data.draw(st.integers(0, len(log)))
    kept = DedupWindow()
    for name, moment in log[:cut]:
        kept.repeated(name, moment)
    watermark = max((moment for _, moment in log[:cut]), default=0)

    rebuilt = DedupWindow(watermark)
    for name, moment in log[:cut]:
        if moment >= DedupWindow.reread_from_ms(watermark):
            rebuilt.repeated(name, moment)

    rest = log[cut:]
    assert [rebuilt.repeated(*row) for row in rest] == [kept.repeated(*row) for row in rest]


def test_an_id_is_folded_again_after_its_quarter_of_an_hour() -> None:
    recent = DedupWindow()
    after = (REPEAT_MINUTES + 1) * 60_000

    assert not recent.repeated("a", START_MS)
    assert recent.repeated("a", START_MS + 60_000)
    assert not recent.repeated("a", START_MS + 60_000 + after)
