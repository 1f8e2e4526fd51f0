"""What breaks a wording rule and reached the buyer is flagged, whatever the policy lets pass."""

import msgspec
import pytest

from contracts.conversation import ShopListed
from contracts.monitor import WordingFlagged
from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.fold.engine import PartitionFold, Start
from services.monitor.measures import measures_of
from services.monitor.profiles import book as profiles
from services.monitor.wording.measure import NAME, Changes
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.test_monitor_fold_taken_back import ENGINE, Paper

pytestmark = pytest.mark.unit

SHOP = ShopId("shop-a")


def rules(**policy: object) -> Rules:
    """Return the monitor's rules with one listed shop."""
    directory = Directory()
    fields = {"id": "e", "time": NOON, "shop_id": SHOP, "name": "n", "version": 2, **policy}
    directory.list_shop(ShopListed.model_validate(fields))
    return Rules(profiles.load(), directory, lambda: ENGINE)


def chat(paper: Paper) -> Chat:
    """Return a conversation of that shop."""
    return Chat(paper, SHOP, PersonId("anne"), ConversationId("c"), PersonId("b"), NOON)


async def folded(paper: Paper, known: Rules) -> Changes:
    """Return what the fold of the whole log flags."""
    fold = PartitionFold(Start(0, 0), measures_of(known)())
    flagged: Changes = (await fold.fold(paper.records)).changes.of(NAME)
    return flagged


@pytest.mark.parametrize("action", ["allow", "log", "warn"])
async def test_an_insult_that_the_policy_lets_pass_is_flagged_and_told(action: str) -> None:
    paper = Paper()
    await chat(paper).agent(0, "你是不是傻逼")
    changes = await folded(paper, rules(wording_actions={"insult": action}))

    (flag,) = changes.flags
    assert (flag.speaker, flag.categories) == ("agent", ("insult",))
    (told,) = changes.alerts
    assert isinstance(told, WordingFlagged)
    assert (told.hits[0].severity, told.hits[0].action) == ("high", action)


async def test_the_words_of_a_card_and_of_an_image_are_flagged_like_a_text() -> None:
    paper = Paper()
    talk = chat(paper)
    await talk.agent_shows(0, "card", {"title": "亲", "rows": [{"note": "你是不是傻逼"}]})
    await talk.agent_shows(1, "image", {"url": "/v1/files/1", "alt": "你是不是傻逼"})
    await talk.agent_shows(2, "image", {"url": "/v1/files/2"})
    changes = await folded(paper, rules(wording_actions={"insult": "allow"}))

    assert len(changes.flags) == len(changes.alerts) == 2
    for flag in changes.flags:
        assert "傻逼" in {hit["surface"] for hit in msgspec.json.decode(flag.hits)}
