"""Opening conversations: whoever asks while another's go runs is opened by the next one (H39).

What needs no turn is read before it, and everything is written once, as it is at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import Timing
from contracts.people import (
    ConversationId,
    ConversationState,
    OrderId,
    PersonId,
    ShopId,
    SkillGroupId,
)
from kit import keyed
from kit.errors import AppError, Conflict, NotFound, Unprocessable
from kit.idempotency import CommandKey
from kit.text import refuse_unstorable
from kit.web.auth import Principal
from services.conversation.buyers import repository as buyers
from services.conversation.buyers.domain import Buyer
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation, open_conversation, reopen
from services.conversation.conversations.schemas import ConversationView
from services.conversation.conversations.views import shown
from services.conversation.domain import Stamp
from services.conversation.gathering import Gathering, Take
from services.conversation.groups import repository as skill_groups
from services.conversation.groups.domain import SkillGroup
from services.conversation.reception.schemas import NewConversation
from services.conversation.routing.distributor import Joining
from services.conversation.routing.service import Routing
from services.conversation.shops import repository as shops
from services.conversation.turns import Turns

Answer: TypeAlias = ConversationView | Exception


class NoSkillGroup(Conflict):
    """The shop has nobody to route to."""

    slug, title = "no_skill_group", "The shop has no skill group yet"


class Opening(NamedTuple):
    """A buyer who wants to talk."""

    principal: Principal
    body: NewConversation
    key: CommandKey

    @property
    def buyer_id(self) -> PersonId:
        """Who it is."""
        return PersonId(self.principal.subject)


@dataclass(frozen=True, slots=True)
class _Known:
    """Who asks, and what is known of a shop and of them before its turn is taken.

    `refused` says of each in his place why nothing is done for him.
    """

    openings: Sequence[Opening]
    refused: Sequence[Exception | None]
    buyers: dict[str, Buyer]
    groups: Sequence[SkillGroup]
    timing: Timing


@dataclass(slots=True)
class _Standing:
    """Of each buyer his conversation as it is by now, and of those who join the queue why."""

    now: dict[PersonId, Conversation]
    joining: dict[PersonId, Joining] = field(default_factory=dict)

    def has(self, buyer_id: PersonId) -> bool:
        """Tell whether something is open for him, or begins."""
        return buyer_id in self.now or buyer_id in self.joining


class Openings:
    """The use case of opening; many are one transaction, each keeps its answer under its key."""

    def __init__(self, turns: Turns, routing: Routing) -> None:
        self._turns = turns
        self._routing = routing
        self._gathering: Gathering[Opening, ConversationView] = Gathering(self._opened)

    async def open(
        self, principal: Principal, body: NewConversation, *, key: CommandKey
    ) -> ConversationView:
        """Return the buyer's conversation.

        An open one is returned as it is, one closed a moment ago goes on, else a new one begins.
        """
        refuse_unstorable(body.product)
        refuse_unstorable(body.order_id or "")
        opening = Opening(principal, body, key)
        return await self._gathering.carried_out(principal.shop_id, opening)

    async def _opened(self, shop: str, take: Take[Opening]) -> Sequence[Answer]:
        """Open for all of a group in one transaction, with one go."""
        shop_id = ShopId(shop)

        async def ready(session: AsyncSession) -> _Known:
            return await _read(session, shop_id, take())

        async with self._turns.after(shop, ready) as (session, facts):
            standing, answers = await self._standing(session, shop_id, facts)
            joining = list(standing.joining.values())
            if joining:
                found = await self._routing.join(session, shop_id, joining, trigger="opened")
                standing.now |= {one.buyer_id: one for one in found.values()}
            return await _kept(session, facts, standing, answers)

    async def _standing(
        self, session: AsyncSession, shop_id: ShopId, facts: _Known
    ) -> tuple[_Standing, list[Exception | None]]:
        """Decide for each what becomes of him; also return why nothing does."""
        stamp, answers = self._routing.stamp(), list(facts.refused)
        since = stamp.at - timedelta(seconds=facts.timing.reopen_gap_s)
        asking = {
            one.buyer_id for one, no in zip(facts.openings, answers, strict=True) if no is None
        }
        latest = await conversations.standing_of_buyers(session, shop_id, asking)
        open_now = {one: found for one, found in latest.items() if not _is_closed(found)}
        recent = [one.id for one in latest.values() if one.closed_at and one.closed_at > since]
        standing = _Standing(open_now, await self._again(session, recent, stamp))
        for number, one in enumerate(facts.openings):
            if answers[number] is None and not standing.has(one.buyer_id):
                try:
                    standing.joining[one.buyer_id] = _begun(one, facts, stamp)
                except AppError as refused:
                    answers[number] = refused
        return standing, answers

    async def _again(
        self, session: AsyncSession, ids: Sequence[ConversationId], stamp: Stamp
    ) -> dict[PersonId, Joining]:
        """Go on with conversations that were closed a moment ago."""
        waits = await clock.waiting_since(session, ids)
        return {
            one.buyer_id: Joining(
                reopen(one, one.buyer_id, "buyer_contact", stamp=stamp),
                "reopened",
                waits.get(one.id),
            )
            for one in await conversations.lock_all(session, ids)
        }


async def _read(session: AsyncSession, shop_id: ShopId, openings: Sequence[Opening]) -> _Known:
    known = await buyers.find_buyers(session, [one.principal.subject for one in openings])
    refused: list[Exception | None] = list(
        await keyed.refusals(session, [one.key for one in openings])
    )
    for number, one in enumerate(openings):
        buyer = known.get(one.buyer_id)
        if refused[number] is None and (buyer is None or buyer.shop_id != shop_id):
            refused[number] = NotFound()
    return _Known(
        openings,
        refused,
        known,
        await skill_groups.groups_of_shop(session, shop_id),
        await shops.timing_of(session, shop_id),
    )


async def _kept(
    session: AsyncSession, facts: _Known, standing: _Standing, answers: Sequence[Exception | None]
) -> list[Answer]:
    """Keep what became of each as his command's answer."""
    old = [one.id for one in standing.now.values() if _may_be_owed(one, standing)]
    waits = await clock.waiting_since(session, old)
    views: list[Answer] = []
    kept: list[tuple[CommandKey, ConversationView]] = []
    for one, refused in zip(facts.openings, answers, strict=True):
        if refused is not None:
            views.append(refused)
            continue
        found, buyer = standing.now[one.buyer_id], facts.buyers[one.buyer_id]
        view = shown(found, buyer, one.principal, waiting_since=waits.get(found.id))
        kept.append((one.key, view))
        views.append(view)
    await keyed.keep_all(session, kept)
    return views


def _begun(one: Opening, facts: _Known, stamp: Stamp) -> Joining:
    """Begin a conversation. Raises `NoSkillGroup`, `Unprocessable`."""
    buyer = facts.buyers[one.buyer_id]
    fresh = Conversation(
        id=ConversationId(stamp.ids.new()),
        shop_id=buyer.shop_id,
        buyer_id=buyer.id,
        skill_group_id=_group_for(one.body, facts.groups),
        state=ConversationState.QUEUED,
        opened_at=stamp.at,
        waiting_since=stamp.at,
        priority=buyer.tier,
        subject=one.body.product,
        order_id=None if one.body.order_id is None else OrderId(one.body.order_id),
    )
    return Joining(open_conversation(fresh, stamp), "opened", is_new=True)


def _may_be_owed(found: Conversation, standing: _Standing) -> bool:
    """Tell whether the archive may know of a word that nobody answered; of a new one it cannot."""
    joined = standing.joining.get(found.buyer_id)
    is_new = joined is not None and joined.is_new
    return found.state is not ConversationState.CLOSED and not is_new


def _is_closed(conversation: Conversation) -> bool:
    return conversation.state is ConversationState.CLOSED


def _group_for(body: NewConversation, groups: Sequence[SkillGroup]) -> SkillGroupId:
    """Choose the group by what the buyer says, else by whether he has an order (C1)."""
    known = {group.code: group.id for group in groups}
    if not known:
        raise NoSkillGroup
    usual = "in_sale" if body.order_id is not None else "pre_sale"
    if body.topic is not None and body.topic not in known:
        raise Unprocessable("The shop has no such topic.", topics=sorted(known))
    return known.get(body.topic or usual) or known[min(known)]
