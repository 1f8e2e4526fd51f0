"""What people and sweeps read of conversations, messages and staff is found by index."""

from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from contracts.people import ConversationId, ConversationState, PersonId, ShopId, SkillGroupId
from contracts.visibility import BUYER_TYPES
from kit.bus.memory import MemoryBus
from kit.clock import SystemClock
from kit.postgres import Database
from kit.text import whole_phone
from services.conversation.app import ConversationService
from services.conversation.archive import repository as archive
from services.conversation.buyers import repository as buyers
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.repository import Filter
from services.conversation.groups import repository as skill_groups
from services.conversation.history import repository as history
from services.conversation.images import repository as pictures
from services.conversation.phrases import repository as phrases
from services.conversation.reception import repository as reception
from services.conversation.reception.repository import Silence
from services.conversation.routing import queues
from services.conversation.routing import repository as routing
from services.conversation.routing.assignment import Places
from services.conversation.search import repository as search
from services.conversation.search.domain import Reach
from services.conversation.search.repository import Wanted
from services.conversation.settings import Settings
from services.conversation.shops import repository as shops
from services.conversation.staff import repository as staff
from services.conversation.tables import AUDIT
from services.conversation.tokens import repository as tokens
from tests.infrastructure import Infrastructure
from tests.integration.conversation.filling import FILLS, FLOOD, FLOODED
from tests.plans import (
    AUDIT_FILL,
    Read,
    assert_all_are_there,
    assert_spared,
    audit_reads,
    explained,
    filled,
)

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


def _id(kind: int, number: int) -> str:
    return f"00000000-0000-7000-800{kind}-{number:012d}"


SHOP, BUYER, AGENT, CHAT = ShopId("plans"), PersonId(_id(1, 10)), PersonId(_id(2, 10)), _id(3, 10)
images = pictures.BlobRows()
MOMENT = datetime(2026, 11, 11, tzinfo=UTC)
LATER = datetime(2026, 11, 12, tzinfo=UTC)
SILENCE = Silence(SHOP, idle_since=LATER, unanswered_since=LATER)
PLACE = (MOMENT, CHAT)
SOUGHT = Wanted(SHOP, [1], since=MOMENT, till=LATER, below=(LATER, CHAT))
PLACES = Places(
    own=((AGENT, 2, "agent"),),
    online=2,
    groups=frozenset({SkillGroupId(_id(4, 1))}),
    every=False,
    roles=frozenset({"supervisor"}),
)
LISTED, SAID = ("/v1/conversations",), ("/v1/conversations/{conversation_id}/messages",)
PAGE: dict[str, Any] = {"conversation_id": CHAT, "types": BUYER_TYPES, "limit": 51}
NOTES = "what a buyer does not see, notes: few of a conversation"
LAST = "the end of a list of shops"
WORDS = "one conversation's records, from its end to the last words"
TALK = "one conversation's records, from its end to the last answer"
STAFF = "a shop's staff, who are read whole page by page"

WAITING = Conversation(
    ConversationId(CHAT),
    SHOP,
    BUYER,
    SkillGroupId(_id(4, 1)),
    ConversationState.QUEUED,
    opened_at=MOMENT,
    waiting_since=MOMENT,
)


def listed(
    which: Filter, *, after: tuple[datetime, str] | None = PLACE
) -> partial[Coroutine[Any, Any, list[Conversation]]]:
    return partial(conversations.page, which=which, after=after, limit=51)


READS = [
    Read("a shop's conversations", listed(Filter(SHOP), after=None), LISTED),
    Read("the next page", listed(Filter(SHOP)), LISTED),
    *[
        Read(f"a shop's conversations that are {state}", listed(Filter(SHOP, state=state)), LISTED)
        for state in ConversationState
    ],
    Read("the next page, oldest first", listed(Filter(SHOP, ascending=True)), LISTED),
    Read(
        "the oldest that wait in a shop",
        listed(Filter(SHOP, state=ConversationState.QUEUED, ascending=True), after=None),
        LISTED,
    ),
    Read(
        "the last words of conversations",
        partial(archive.heads, conversation_ids=[ConversationId(CHAT)]),
        filters=WORDS,
    ),
    Read("an agent's conversations", listed(Filter(SHOP, agent_id=AGENT)), LISTED),
    Read("a buyer's conversations", listed(Filter(SHOP, buyer_id=BUYER)), LISTED),
    Read(
        "a buyer's conversations in a state",
        listed(Filter(SHOP, buyer_id=BUYER, state=ConversationState.CLOSED)),
        LISTED,
        filters="one buyer's conversations",
    ),
    Read(
        "what buyers have open, else their latest",
        partial(conversations.standing_of_buyers, shop_id=SHOP, buyer_ids=[BUYER]),
        sorts="the two conversations of each",
    ),
    Read(
        "a buyer's open ones",
        partial(conversations.open_of, buyer_id=BUYER),
        filters="one buyer's conversations",
    ),
    Read("how many are before a buyer", partial(conversations.ahead_of, waiting=WAITING)),
    Read(
        "what several agents have",
        partial(conversations.assigned_to, shop_id=SHOP, agents=[AGENT]),
    ),
    Read("an agent's inbox", partial(conversations.owned_by, agent_id=AGENT)),
    Read("an agent's work", partial(routing.work_of, agent_id=AGENT)),
    Read("an agent's load", partial(queues.load_of, agent_id=AGENT)),
    Read(
        "everybody's load",
        partial(queues.candidates, shop_id=SHOP, everybody=True),
        filters=STAFF,
    ),
    Read(
        "heads of the queues",
        partial(queues.heads, shop_id=SHOP, places=PLACES, now=MOMENT),
        filters="a shop's few groups, and heads whose tier alone put them first",
        sorts="work for anybody, which only a shop without the usual group has",
    ),
    Read(
        "overdue work that its holder alone has",
        partial(queues.overdue, shop_id=SHOP, seniors=[AGENT]),
        filters="what the one senior with room holds himself",
    ),
    Read(
        "shops in which a senior is online beside overdue work",
        partial(queues.shops_overdue),
        filters="who is online and no senior, and what a senior holds himself",
    ),
    Read("shops in which somebody waits", partial(queues.shops_waiting), filters=LAST),
    Read("shops in which somebody is served", partial(queues.shops_serving), filters=LAST),
    Read(
        "buyers whose agent is silent",
        partial(queues.left_waiting, shop_id=SHOP, before=MOMENT, through=MOMENT, limit=50),
        filters=f"what a shop's agents have; {TALK}",
    ),
    Read("since when buyers wait", partial(clock.waiting_since, ids=[CHAT]), filters=TALK),
    Read(
        "what agents have who went away",
        partial(routing.owned_by, shop_id=SHOP, agent_ids=[AGENT], taken=False),
        filters="what they took off duty",
    ),
    Read("what they took off duty", partial(routing.taken_by, shop_id=SHOP, agent_ids=[AGENT])),
    Read("who took something off duty", partial(routing.takers)),
    Read("their work", partial(routing.lock_work_of, shop_id=SHOP, agent_ids=[AGENT])),
    Read(
        "decisions on a conversation",
        partial(routing.decisions_on, subject_id=CHAT, limit=50),
        ("/v1/conversations/{conversation_id}/decisions",),
    ),
    Read(
        "history before a place",
        partial(history.before, place=(1, 500), **PAGE),
        SAID,
        filters=NOTES,
    ),
    Read("the end of a history", partial(history.before, place=None, **PAGE), filters=NOTES),
    Read(
        "history after a place",
        partial(history.after, place=(1, 5), **PAGE),
        SAID,
        filters=NOTES,
    ),
    Read(
        "what has been silent in a shop",
        partial(reception.silent, silence=SILENCE, limit=100),
        filters="the shop's open conversations, each by two looks into an index",
    ),
    Read(
        "what of it still is",
        partial(reception.still_silent, silence=SILENCE, ids=[ConversationId(CHAT)]),
        filters="those that were found, each by two looks into an index",
    ),
    Read(
        "contacts of a shop to act on",
        partial(
            archive.take_contacts,
            shop_id=SHOP,
            tried_before=datetime(2026, 1, 1, tzinfo=UTC),
            limit=100,
        ),
        filters="what could not be acted on a minute ago; the table is nearly empty",
        sorts="the shop's contacts that are left",
    ),
    Read("a shop's staff", partial(staff.staff_of_shop, shop_id=SHOP, limit=51), ("/v1/staff",)),
    Read(
        "a shop's agents",
        partial(staff.chatting, shop_id=SHOP, after=_id(2, 1), limit=51),
        ("/v1/agents",),
        filters=STAFF,
    ),
    Read(
        "buyers by the beginning of a name",
        partial(buyers.named, shop_id=SHOP, prefix="买家1", limit=21),
        ("/v1/buyers",),
    ),
    Read(
        "buyers by a whole phone",
        partial(buyers.called, shop_id=SHOP, phones=whole_phone("13800000010"), limit=21),
        ("/v1/buyers",),
    ),
    Read("who is at work", partial(staff.at_work)),
    Read("all shops, to tell a lost directory anew", partial(shops.every_shop)),
    Read("all staff, likewise", partial(staff.every_agent, after=_id(2, 1))),
    Read(
        "staff whom the release before listed",
        partial(staff.relist),
        filters="of the index of exactly these, whom another process listed meanwhile",
    ),
    Read(
        "buyers whose tokens may be out, likewise",
        partial(buyers.revoked_buyers, since=datetime(2026, 1, 1, tzinfo=UTC)),
        filters="an operator's command after the loss of a log, once",
    ),
    Read(
        "a person's own sessions",
        partial(tokens.sessions_of, subject=AGENT, now=MOMENT, limit=100),
        ("/v1/sessions",),
        filters="those of his tokens that are over and not yet forgotten",
        sorts="his tokens, by session; then his sessions, by use",
    ),
    Read(
        "whether a session is a person's",
        partial(tokens.is_session_of, sid=_id(5, 1), subject=AGENT),
        filters="the session's own tokens",
    ),
    Read(
        "whether a session was ended",
        partial(tokens.was_ended, sid=_id(5, 1), subject=AGENT),
        filters="the one session",
    ),
    Read("sessions ended of late", partial(tokens.ended_since, since=MOMENT)),
    Read("ended sessions to forget", partial(tokens.forget_ended, before=MOMENT, limit=100)),
    Read(
        "refresh tokens to forget",
        partial(tokens.forget_expired, now=datetime(2026, 1, 1, tzinfo=UTC), limit=100),
    ),
    Read(
        "decisions to forget",
        partial(routing.forget_decisions, before=datetime(2026, 1, 1, tzinfo=UTC), limit=100),
    ),
    Read(
        "a picture of a conversation",
        partial(images.get, conversation_id=CHAT, picture_id=_id(9, 10)),
        filters="the one picture",
    ),
    Read(
        "pictures that are sent",
        partial(pictures.name, ids=[_id(9, 10), _id(9, 11)]),
        filters="those that the messages of one batch name",
    ),
    Read(
        "pictures that were never sent",
        partial(images.drop_unnamed, made_before=LATER, limit=100),
        filters="what the index itself says, looked at again as a row is locked",
    ),
    Read("pictures to forget", partial(images.forget, made_before=LATER, limit=100)),
    Read(
        "groups of a shop",
        partial(skill_groups.groups_of_shop, shop_id=SHOP),
        ("/v1/skill-groups",),
    ),
    Read("quick replies", partial(phrases.lists, shop_id=SHOP, owners=[AGENT, "shop"])),
    Read(
        "words in chats",
        partial(search.found, wanted=SOUGHT, limit=100, timeout_ms=5_000),
        ("/v1/search/messages",),
        sorts="the hundred messages of one look",
    ),
    Read(
        "what was archived behind the index of words",
        partial(search.archived, reach=Reach(0, 1, 500, None), end=1_000, types=["x"], limit=100),
    ),
    *audit_reads(AUDIT, "/v1/audit/conversation"),
]

OF_FLOODED = [
    Read("since when buyers wait", partial(clock.waiting_since, ids=[FLOODED])),
    Read(
        "buyers whose agent is silent",
        partial(queues.left_waiting, shop_id=SHOP, before=LATER, through=LATER, limit=50),
    ),
    Read(
        "what has been silent in a shop",
        partial(reception.silent, silence=SILENCE, limit=100),
    ),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(infra: Infrastructure) -> AsyncIterator[Database]:
    """A thousand conversations, a tenth of them of one shop, with messages, staff and work."""
    async with filled(infra, "conversation", *FILLS, AUDIT_FILL) as made:
        yield made


@pytest.mark.parametrize("read", READS, ids=lambda read: read.title)
async def test_an_index_spares_what_is_read(store: Database, read: Read) -> None:
    await assert_spared(store, read)


@pytest.mark.parametrize("read", OF_FLOODED, ids=lambda read: read.title)
async def test_a_flood_of_the_buyers_words_costs_no_more_than_one(
    store: Database, read: Read
) -> None:
    assert 0 < await _passed(store, read, "messages") < FLOOD / 2


async def test_what_was_found_silent_is_looked_at_again_and_nothing_else(store: Database) -> None:
    again = Read(
        "", partial(reception.still_silent, silence=SILENCE, ids=[ConversationId(FLOODED)])
    )

    assert await _passed(store, again, "conversations") == 1


async def _passed(store: Database, read: Read, table: str) -> float:
    """Return how many rows of a table it met, whether it wanted them or not."""
    async with store.write_across("a test") as session:  # the policy of a shop reads rows as well
        nodes = await explained(session, read, options="analyze, format json")
        await session.rollback()
    return sum(
        float(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        for node in nodes
        if node.get("Relation Name") == table
    )


async def test_no_list_is_without_a_row_here() -> None:
    app = ConversationService(Settings(), MemoryBus(), clock=SystemClock()).app().http

    people = (buyers, phrases, shops, skill_groups, staff, tokens)
    rooms = (routing, queues, reception, search)
    assert_all_are_there(READS, app, archive, conversations, *people, *rooms)
