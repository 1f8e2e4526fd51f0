"""What the gate cleared is not judged again, and every flag is what it would be if it were."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
import pytest

from contracts.base import Headers
from contracts.conversation import ShopListed
from contracts.gateway import WORDING, ChatMessage, cleared
from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from kit.bus.ports import Record, message_of
from services.gateway.frames import client
from services.gateway.hub import Directory as GatewayDirectory
from services.gateway.inbound.gate import Gate, GateInput, Passed
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.fold.engine import PartitionFold, Start
from services.monitor.measures import measures_of
from services.monitor.profiles import book as profiles
from services.monitor.wording.measure import NAME, Changes
from tests.integration.monitor.chats import NOON
from tests.load.dialogue import TURNS
from wording import Engine, policy_of

pytestmark = pytest.mark.unit

ENGINE: Final = Engine.load()
SHOP: Final = ShopId("shop-a")
RUDE: Final = "你是不是傻逼"
PERSON: Final = {SenderKind.AGENT: PersonId("anne"), SenderKind.BUYER: PersonId("b")}


class Live:
    """The shipped lexicon, which never changes."""

    current = ENGINE


def listed(**policy: object) -> ShopListed:
    """Return a shop's entry."""
    fields = {"id": "e", "time": NOON, "shop_id": SHOP, "name": "n", "version": 2, **policy}
    return ShopListed.model_validate(fields)


def by_rules(shop: ShopListed) -> bytes:
    """Return what the gate says of clean words under the shop's policy."""
    return cleared(ENGINE.lexicon_version, policy_of(shop).version)


def written(
    number: int,
    kind: SenderKind,
    *,
    said: str = "text",
    d: dict[str, Any] | None = None,
    extra: Headers = (),
) -> Record:
    """Return the record of a message."""
    message = ChatMessage(
        id=f"m{number}",
        time=NOON + timedelta(seconds=number),
        shop_id=SHOP,
        conversation_id=ConversationId("c"),
        sender_id=PERSON[kind],
        sender_kind=kind,
        client_id=str(number),
        kind=said,
        d=d or {"text": RUDE},
        body_hash="h",
    )
    sent, at_ms = message_of(message, extra=extra), round(message.time.timestamp() * 1000)
    return Record("chat", 0, number, at_ms, sent.key, sent.value, sent.headers)


async def folded(
    records: Sequence[Record], shop: ShopListed, *, believes_gate: bool = True
) -> Changes:
    """Return what the fold of a log finds in its words."""
    directory = Directory()
    directory.list_shop(shop)
    rules = Rules(profiles.load(), directory, lambda: ENGINE)
    fold = PartitionFold(Start(0, 0), measures_of(rules, believes_gate=believes_gate)())
    batch = await fold.fold(records)
    assert batch.poison == []
    found: Changes = batch.changes.of(NAME)
    return found


async def test_words_that_the_gate_cleared_by_the_rules_at_hand_are_not_judged_again() -> None:
    shop = listed()
    log = [written(0, SenderKind.AGENT, extra=((WORDING, by_rules(shop)),))]
    changes = await folded(log, shop)

    assert (changes.flags, changes.alerts) == ([], [])
    (span,) = changes.spans
    assert cleared(*span.wording) == by_rules(shop)


@pytest.mark.parametrize(
    "verdict",
    [
        None,
        b"",
        cleared("another lexicon", policy_of(listed()).version),
        cleared(ENGINE.lexicon_version, policy_of(listed(version=3)).version),
        by_rules(listed()) + b" and what a later release adds",
    ],
)
async def test_whatever_else_the_header_says_the_words_are_judged(verdict: bytes | None) -> None:
    extra = () if verdict is None else ((WORDING, verdict),)
    changes = await folded([written(0, SenderKind.AGENT, extra=extra)], listed())

    assert [flag.message_id for flag in changes.flags] == ["m0"]


async def test_nobody_but_a_gateway_clears_words_and_no_gateway_those_of_a_buyer() -> None:
    shop = listed()
    extra = ((WORDING, by_rules(shop)),)
    foreign = written(0, SenderKind.AGENT, extra=extra)
    headers = dict(foreign.headers) | {"ce_source": b"conversation"}
    foreign = msgspec.structs.replace(foreign, headers=tuple(headers.items()))
    changes = await folded([foreign, written(1, SenderKind.BUYER, extra=extra)], shop)

    assert [flag.speaker for flag in changes.flags] == ["agent", "buyer"]


async def test_a_recount_believes_nobody() -> None:
    shop = listed()
    log = [written(0, SenderKind.AGENT, extra=((WORDING, by_rules(shop)),))]

    assert len((await folded(log, shop, believes_gate=False)).flags) == 1


SAID: Final[Sequence[tuple[str, dict[str, Any]]]] = [
    *(("text", {"text": text}) for text in (*TURNS, RUDE, "加我微信 lele_2026 再聊", "傻瓜相机")),
    ("text", {"text": "呵呵"}),
    ("card", {"title": "亲", "rows": [{"note": RUDE}]}),
    ("card", {"b": "逼", "a": "傻"}),
    ("image", {"url": "/v1/files/1", "alt": RUDE}),
    ("image", {"url": "/v1/files/2"}),
]


@pytest.mark.parametrize(
    "shop",
    [
        listed(),
        listed(wording_actions={"insult": "allow", "off_platform": "log", "cold": "warn"}),
        listed(wording_terms=("亲",), wording_actions={"insult": "warn"}),
        listed(allow_spans=("傻瓜相机", RUDE)),
    ],
)
async def test_who_believes_the_gate_flags_what_he_would_find_himself(shop: ShopListed) -> None:
    """Everything that agents say goes through the real gate, confirmed where it asks."""
    log: list[Record] = []
    directory = GatewayDirectory()
    entry = message_of(shop)
    directory.apply(Record("directory", 0, 0, 0, entry.key, entry.value, entry.headers))
    gate = Gate(Live(), directory, b"k")
    for kind, d in SAID:
        d_sent, passed = through(gate, kind, d)
        if passed is None:
            continue
        extra = () if passed.cleared is None else ((WORDING, passed.cleared),)
        log.append(written(len(log), SenderKind.AGENT, said=kind, d=d_sent, extra=extra))
        log.append(written(len(log), SenderKind.BUYER, said=kind, d=d_sent))

    believing = await folded(log, shop)
    assert believing == await folded(log, shop, believes_gate=False)
    assert believing.flags
    assert sum(WORDING in dict(record.headers) for record in log) > len(SAID) // 2


def through(gate: Gate, kind: str, d: dict[str, Any]) -> tuple[dict[str, Any], Passed | None]:
    """Return a body as it is sent, and how it passes the gate; None for one that is blocked."""
    frame = client.read(
        msgspec.json.encode({"t": "send", "id": "aaaaaaaa", "s": "conv:c", "kind": kind, "d": d})
    )
    assert isinstance(frame, client.Send)
    body = client.body_of(frame)
    asked = GateInput(
        SHOP, ConversationId("c"), PERSON[SenderKind.AGENT], "k", "m", "h", body.words, None
    )
    passed = gate.judge(asked, NOON)
    if not isinstance(passed, Passed) and "confirm" in passed.answer.extras:
        signature = str(passed.answer.extras["confirm"])
        passed = gate.judge(asked._replace(confirm=signature), NOON)
    sent: dict[str, Any] = msgspec.json.decode(body.d)
    return sent, passed if isinstance(passed, Passed) else None
