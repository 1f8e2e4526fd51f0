"""A book that changes while buyers wait hides none of them, and stays comparable (H32)."""

import pytest

from contracts.people import ConversationId, PersonId
from profiles import SHIPPED as FILES
from services.monitor.profiles import book as profiles
from services.monitor.profiles.book import ProfileBook
from services.monitor.waiting.waits import SETTLE_MS, Waits
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import SHIPPED, SHOP, Folding, Paper, rules

pytestmark = pytest.mark.unit

NOON_MS = round(NOON.timestamp() * 1000)


def chat(paper: Paper) -> Chat:
    """Return a conversation that is not told yet."""
    return Chat(paper, SHOP, PersonId("anne"), ConversationId("c"), PersonId("buyer"), NOON)


def with_a_shorter_rejoin() -> ProfileBook:
    """Return the shipped book with a profile whose reading stands before all that people answer."""
    text = (FILES / "qiyu.toml").read_text(encoding="utf-8")
    added = text.replace('"qiyu"', '"own_slow"').replace("rejoin_s = 600", "rejoin_s = 60")
    kept = [profile for known in SHIPPED.versions.values() for profile in known]
    return ProfileBook.of([*kept, profiles.parse(added, "own_slow")])


async def test_who_waits_goes_on_waiting_under_a_book_with_a_new_reading() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(5)
    await talk.buyer(9)
    found = await Folding(rules()).upto(paper.records)
    await talk.bot(10)

    await found.stored_and_loaded(with_a_shorter_rejoin()).upto(paper.records)

    known = found.fold.conversations[talk.id]
    assert found.fold.states.waiting(known).since_ms == NOON_MS + 9_000


async def test_an_alert_under_a_new_book_names_the_record_since_which_a_person_is_waited_for() -> (
    None
):
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    first = len(paper.records) - 1
    await talk.bot(5)
    await talk.buyer(9)
    found = await Folding(rules()).upto(paper.records)

    found.stored_and_loaded(with_a_shorter_rejoin())

    fold = found.fold
    waits = Waits(found.rules, 0, place=fold.states.place_of("response"))
    waits.watch(fold.conversations.values())
    through = NOON_MS + 40_000 + SETTLE_MS
    firings = waits.due(fold.conversations, through_ms=through, now_ms=through, limit=99)
    assert firings
    assert {one.waiting_offset for one in firings} == {first}
