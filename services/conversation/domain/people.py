"""Shops, staff and buyers: what is known of them, and what the directory tells the platform (H13).

Pure; passwords and secrets are not among the facts.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from contracts.conversation import AgentStateChanged, PersonListed, ShopListed
from contracts.people import AgentState, PersonId, Role, ShopId, SkillGroupId
from kit.text import mask_address, mask_name, mask_phone
from services.conversation.domain import Stamp

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""`not_before` of somebody whose tokens were never revoked."""

StateReason = Literal["own_choice", "supervisor", "heartbeat_lost", "returned", "deactivated"]


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant. `policy` holds the wording policy as `directory.shop` carries it."""

    id: ShopId
    name: str
    time_zone: str = "Asia/Shanghai"
    active: bool = True
    secret_version: int = 1
    policy: dict[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True)
class SkillGroup:
    """A specialised group of agents (C1)."""

    id: SkillGroupId
    shop_id: ShopId
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """A buyer of one shop, anonymous without `external_id`. `tier`, 0 to 9, is his rank."""

    id: PersonId
    shop_id: ShopId
    name: str
    external_id: str | None = None
    phone: str = ""
    address: str = ""
    tier: int = 0
    not_before: datetime = EVER
    version: int = 0

    def withdrawn(self, at: datetime) -> "Buyer":
        """Return the buyer with every token of his ended."""
        return replace(self, not_before=revoked_at(at), version=self.version + 1)

    def masked(self) -> "Buyer":
        """Return what everybody sees who does not work with this buyer (P17)."""
        return replace(
            self,
            name=mask_name(self.name),
            phone=mask_phone(self.phone) if self.phone else "",
            address=mask_address(self.address) if self.address else "",
        )


@dataclass(frozen=True, slots=True)
class AtWork:
    """Somebody who is not offline, or comes back with `resume_state` when a gateway carries him."""

    id: PersonId
    shop_id: ShopId
    state: AgentState
    resume_state: AgentState | None


@dataclass(frozen=True, slots=True)
class Agent:
    """One member of staff. `resume_state` is what an agent returns to after a lost connection."""

    id: PersonId
    shop_id: ShopId
    name: str
    role: Role
    active: bool
    capacity: int
    login: str = ""
    skill_group_ids: tuple[SkillGroupId, ...] = ()
    not_before: datetime = EVER
    version: int = 1
    state: AgentState = AgentState.OFFLINE
    state_since: datetime | None = None
    state_version: int = 0
    resume_state: AgentState | None = None

    def withdrawn(self, at: datetime) -> "Agent":
        """Return the agent with every token of his ended."""
        return replace(self, not_before=revoked_at(at), version=self.version + 1)


def change_state(
    agent: Agent, state: AgentState, reason: StateReason, stamp: Stamp
) -> tuple[Agent, AgentStateChanged | None]:
    """Set the agent's state. A repeat changes nothing and is not evented (C3)."""
    if agent.state is state:
        chosen = reason not in {"heartbeat_lost", "returned"}
        return (replace(agent, resume_state=None) if chosen else agent), None
    changed = replace(
        agent,
        state=state,
        state_since=stamp.at,
        state_version=agent.state_version + 1,
        resume_state=agent.state if reason == "heartbeat_lost" else None,
    )
    event = AgentStateChanged(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=agent.shop_id,
        agent_id=agent.id,
        name=agent.name,
        role=agent.role,
        state=state,
        previous=agent.state,
        since=stamp.at,
        reason=reason,
        version=changed.state_version,
    )
    return changed, event


def revoked_at(moment: datetime) -> datetime:
    """Return the `not_before` that ends every token issued up to `moment`.

    Tokens count whole seconds, so the limit is the next one; a new login waits for it.
    """
    return moment.replace(microsecond=0) + timedelta(seconds=1)


def listed_agent(agent: Agent, stamp: Stamp) -> PersonListed:
    """Return the directory's entry of a member of staff."""
    return PersonListed(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=agent.shop_id,
        subject=agent.id,
        name=agent.name,
        role=agent.role,
        active=agent.active,
        not_before=agent.not_before,
        version=agent.version,
    )


def listed_buyer(buyer: Buyer, stamp: Stamp) -> PersonListed:
    """Return the directory's entry of a buyer whose tokens were revoked; it never names him."""
    return PersonListed(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=buyer.shop_id,
        subject=buyer.id,
        name="",
        role=Role.BUYER,
        active=True,
        not_before=buyer.not_before,
        version=buyer.version,
    )


def listed_shop(shop: Shop, stamp: Stamp) -> ShopListed:
    """Return the directory's entry of a shop."""
    return ShopListed(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=shop.id,
        name=shop.name,
        time_zone=shop.time_zone,
        active=shop.active,
        version=shop.version,
        **shop.policy,
    )
