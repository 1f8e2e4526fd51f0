"""Shops, their staff and skill groups, and whether an agent is at his desk.

Every change that a gateway must know of goes to the directory in the same transaction (H13).
"""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import (
    CHATTING_STAFF,
    PLATFORM,
    AgentState,
    PersonId,
    Role,
    ShopId,
    SkillGroupId,
)
from kit import outbox
from kit.errors import Conflict, Forbidden, NotFound, Unprocessable
from kit.text import is_blank, refuse_unstorable
from kit.web.auth import Passwords, Principal
from services.conversation.domain import Stamp, known_form
from services.conversation.domain.people import (
    Agent,
    Shop,
    SkillGroup,
    StateReason,
    change_state,
    listed_agent,
    listed_shop,
)
from services.conversation.repository import conversations, people
from services.conversation.repository.people import AuditEntry
from services.conversation.schemas.people import (
    NewGroup,
    NewShop,
    NewStaff,
    SecretRotated,
    SecretView,
    StaffChange,
    StaffView,
    WordingPolicy,
)
from services.conversation.service.allowed_abuse import AllowedAbuse
from services.conversation.service.routing import Routing
from services.conversation.service.sessions import ShopSecrets, end_staff_sessions

GROUPS: Final = {
    "pre_sale": "售前",
    "in_sale": "售中",
    "after_sale": "售后",
    "complaint": "投诉",
}
"""The skill groups that every shop starts with (C1)."""


GROUPS_LIMIT: Final = 200
"""Skill groups of a shop at most; one more is answered 409. All are read for each new buyer."""


class LoginTaken(Conflict):
    """Logins are unique over the whole installation."""

    slug, title = "login_taken", "This login belongs to somebody else"


class GroupExists(Conflict):
    """The shop has a group of that code."""

    slug, title = "group_exists", "The shop has this skill group already"


class TooManyGroups(Conflict):
    """The shop has as many skill groups as it may have."""

    slug, title = "too_many_groups", f"A shop has at most {GROUPS_LIMIT} skill groups"


class ReasonMissing(Unprocessable):
    """Abuse reaches buyers only for a reason that a leader answers for."""

    slug, title = "reason_missing", "To allow abuse needs a reason"


class UnknownGroup(Unprocessable):
    """The shop has no skill group of that code."""

    slug, title = "unknown_group", "The shop has no such skill group"


class NotAnAgent(Conflict):
    """Only staff who may hold a conversation have a state."""

    slug, title = "not_an_agent", "This role does not receive buyers"


@dataclass(frozen=True)
class Staff:
    """Use cases about shops and their people; the caller opens the transaction.

    Passwords come hashed: a hash waits its turn behind logins, and must hold no lock meanwhile.
    """

    routing: Routing
    passwords: Passwords
    shop_secrets: ShopSecrets
    allowed_abuse: AllowedAbuse

    async def create_shop(
        self, session: AsyncSession, wish: NewShop, password_hash: str
    ) -> tuple[Shop, str]:
        """Create a shop with its groups and first administrator; return it with its secret."""
        stamp = self.routing.stamp()
        shop = Shop(ShopId(stamp.ids.new()), name=wish.name, time_zone=wish.time_zone)
        await self.found_shop(session, shop, stamp)
        admin = NewStaff(
            login=wish.admin_login,
            password=wish.admin_password,
            name=wish.name,
            role=Role.ADMIN,
            capacity=0,
        )
        await self.hire(session, shop.id, admin, password_hash)
        return shop, self.shop_secrets.of(shop.id, shop.secret_version)

    async def found_shop(self, session: AsyncSession, shop: Shop, stamp: Stamp) -> bool:
        """Insert a shop with the usual groups; False if it is there already."""
        if not await people.add_shop(session, shop):
            return False
        for code, name in GROUPS.items():
            group = SkillGroup(SkillGroupId(stamp.ids.new()), shop.id, code, name)
            await people.add_group(session, group)
        await outbox.add(session, listed_shop(shop, stamp))
        return True

    async def set_policy(
        self,
        session: AsyncSession,
        principal: Principal,
        policy: WordingPolicy,
        *,
        allows_abuse: bool,
    ) -> Shop:
        """Replace a shop's wording policy; gateways hear of it through the directory.

        `allows_abuse` is the answer of `AllowedAbuse`. Recorded (X4). Raises `ReasonMissing`.
        """
        for phrase in (*policy.wording_terms, *policy.allow_spans, policy.reason or ""):
            refuse_unstorable(phrase)
        if allows_abuse and is_blank(policy.reason or ""):
            raise ReasonMissing
        shop = await people.find_shop(session, principal.shop_id, lock=True)
        if shop is None:
            raise NotFound
        action = "shop.abuse_allowed" if allows_abuse else "shop.wording_policy_set"
        await self.note(session, principal, action, shop.id, reason=policy.reason)
        version = shop.version + 1
        fields = policy.model_dump(mode="json", exclude_none=True, exclude={"reason"})
        changed = replace(
            shop, policy=shop.policy | fields | {"policy_version": str(version)}, version=version
        )
        await people.save_shop(session, changed)
        await outbox.add(session, listed_shop(changed, self.routing.stamp()))
        return changed

    async def show_secret(self, session: AsyncSession, principal: Principal) -> SecretView:
        """Show a shop's secret to its administrator; recorded (X4)."""
        shop = await self._own_shop(session, principal)
        await self.note(session, principal, "shop.secret_shown", shop.id)
        secret = self.shop_secrets.of(shop.id, shop.secret_version)
        return SecretView(shop_id=shop.id, version=shop.secret_version, secret=secret)

    async def rotate_secret(self, session: AsyncSession, principal: Principal) -> SecretRotated:
        """Make the next secret the shop's; recorded (X4)."""
        shop = await self._own_shop(session, principal)
        rotated = replace(shop, secret_version=shop.secret_version + 1)
        await people.save_shop(session, rotated)
        await self.note(session, principal, "shop.secret_rotated", shop.id)
        return SecretRotated(shop_id=shop.id, version=rotated.secret_version)

    async def create_group(
        self, session: AsyncSession, shop_id: ShopId, wish: NewGroup
    ) -> SkillGroup:
        """Create a skill group. Raises `GroupExists`."""
        refuse_unstorable(wish.name)
        if len(await people.groups_of_shop(session, shop_id)) >= GROUPS_LIMIT:
            raise TooManyGroups
        group = SkillGroup(
            SkillGroupId(self.routing.stamp().ids.new()), shop_id, wish.code, wish.name
        )
        if not await people.add_group(session, group):
            raise GroupExists
        return group

    async def hire(
        self, session: AsyncSession, shop_id: ShopId, wish: NewStaff, password_hash: str
    ) -> Agent:
        """Create a member of staff. Raises `LoginTaken`, `UnknownGroup`."""
        refuse_unstorable(wish.name)
        refuse_unstorable(wish.login)
        if wish.role is Role.BUYER:
            raise Unprocessable("Buyers are not staff.")
        stamp = self.routing.stamp()
        agent = Agent(
            id=PersonId(stamp.ids.new()),
            shop_id=shop_id,
            login=wish.login.strip().lower(),
            name=wish.name,
            role=wish.role,
            active=True,
            capacity=wish.capacity,
            skill_group_ids=await self._groups(session, shop_id, wish.skill_groups),
        )
        await self.enlist(session, agent, password_hash, stamp)
        return agent

    async def enlist(
        self, session: AsyncSession, agent: Agent, password_hash: str, stamp: Stamp
    ) -> None:
        """Insert a member of staff and tell the directory. Raises `LoginTaken`."""
        if not await people.add_agent(session, agent, password_hash):
            raise LoginTaken
        await outbox.add(session, listed_agent(agent, stamp))

    async def change(
        self,
        session: AsyncSession,
        principal: Principal,
        agent_id: str,
        change: StaffChange,
        *,
        password_hash: str | None,
    ) -> Agent:
        """Change a member of staff; whoever loses rights loses his sessions too."""
        shop_id = ShopId(principal.shop_id)
        if change.role is Role.BUYER:
            raise Unprocessable("Buyers are not staff.")
        await conversations.lock_shops(session, [shop_id])
        agent = await self._own(session, shop_id, agent_id)
        if agent.id == principal.subject and (change.active is False or change.role is not None):
            raise Forbidden("Nobody changes his own role or switches himself off.")
        wanted = change.model_dump(exclude_none=True, exclude={"password", "skill_groups"})
        changed = replace(agent, **wanted, version=agent.version + 1)
        if change.skill_groups is not None:
            groups = await self._groups(session, shop_id, change.skill_groups)
            changed = replace(changed, skill_group_ids=groups)
        await people.save_agent(session, changed, skills=change.skill_groups is not None)
        return await self._consequences(session, agent, changed, password_hash)

    async def set_state(
        self, session: AsyncSession, agent_id: str, state: AgentState, reason: StateReason
    ) -> Agent:
        """Set whether an agent receives buyers, and route accordingly (C3)."""
        known = await people.find_agent(session, known_form(agent_id))
        if known is None:
            raise NotFound
        if known.role not in CHATTING_STAFF:
            raise NotAnAgent
        await conversations.lock_shops(session, [known.shop_id])
        agent = await people.find_agent(session, known.id, lock=True)
        if agent is None or (not agent.active and state is not AgentState.OFFLINE):
            raise NotFound
        changed, event = change_state(agent, state, reason, self.routing.stamp())
        await people.save_agent(session, changed)
        if event is not None:
            await outbox.add(session, event)
            await self._route(session, changed, reason)
        return changed

    async def note(
        self,
        session: AsyncSession,
        principal: Principal,
        action: str,
        object_id: str,
        *,
        reason: str | None = None,
    ) -> None:
        """Record who did what to which object, and why if he was asked."""
        stamp = self.routing.stamp()
        entry = AuditEntry(
            id=stamp.ids.new(),
            at=stamp.at,
            shop_id=principal.shop_id,
            actor_id=principal.subject,
            role=principal.role,
            action=action,
            object_id=object_id,
            reason=reason,
        )
        await people.add_audit(session, entry)

    async def _route(self, session: AsyncSession, agent: Agent, reason: StateReason) -> None:
        if agent.state is AgentState.OFFLINE:
            everything = reason == "deactivated"
            release = self.routing.release_all if everything else self.routing.release
            await release(session, agent.shop_id, agent.id, f"agent_{reason}")
        elif agent.state in {AgentState.ONLINE, AgentState.BUSY}:
            await self.routing.fill(session, agent.shop_id, "agent_online")

    async def _consequences(
        self, session: AsyncSession, before: Agent, after: Agent, password_hash: str | None
    ) -> Agent:
        if password_hash is not None:
            await people.set_password(session, after.id, password_hash)
        stamp = self.routing.stamp()
        if password_hash is not None or after.role is not before.role or not after.active:
            after = await end_staff_sessions(session, after, stamp)
        else:
            await outbox.add(session, listed_agent(after, stamp))
        if not (after.active and after.role in CHATTING_STAFF):
            if after.state is not AgentState.OFFLINE:
                after, event = change_state(after, AgentState.OFFLINE, "deactivated", stamp)
                await people.save_agent(session, after)
                await outbox.add(session, *([event] if event else []))
            await self.routing.release_all(session, after.shop_id, after.id, "agent_deactivated")
        else:
            await self.routing.fill(session, after.shop_id, "staff_changed")
        return after

    async def _own_shop(self, session: AsyncSession, principal: Principal) -> Shop:
        shop = await people.find_shop(session, principal.shop_id, lock=True)
        if shop is None or shop.id == PLATFORM:
            raise NotFound
        return shop

    async def _own(self, session: AsyncSession, shop_id: ShopId, agent_id: str) -> Agent:
        agent = await people.find_agent(session, known_form(agent_id), lock=True)
        if agent is None or agent.shop_id != shop_id:
            raise NotFound
        return agent

    async def _groups(
        self, session: AsyncSession, shop_id: ShopId, codes: tuple[str, ...]
    ) -> tuple[SkillGroupId, ...]:
        known = {group.code: group.id for group in await people.groups_of_shop(session, shop_id)}
        missing = [code for code in codes if code not in known]
        if missing:
            raise UnknownGroup(f"Create {missing[0]} first, or leave it out.")
        return tuple(sorted({known[code] for code in codes}))


def staff_view(agent: Agent, groups: dict[str, str]) -> StaffView:
    """Show a member of staff; `groups` maps ids of skill groups to their codes."""
    return StaffView(
        id=agent.id,
        login=agent.login,
        name=agent.name,
        role=agent.role,
        active=agent.active,
        capacity=agent.capacity,
        skill_groups=tuple(sorted(groups[one] for one in agent.skill_group_ids)),
        state=agent.state,
        state_since=agent.state_since,
        version=agent.version,
    )
