"""Shops: their creation, their secret, what they decide about wording.

Every change that a gateway must know of goes to the directory in the same transaction (H13).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PLATFORM, Role, ShopId, runs_platform
from kit import outbox
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import NotFound, Unprocessable
from kit.idempotency import CommandKey, Replayed
from kit.ids import Ids
from kit.postgres import Database
from kit.text import is_blank, refuse_unstorable
from kit.web.auth import Passwords, Principal
from kit.web.preconditions import ensure_version
from kit.web.problems import invalid
from services.conversation.domain import Stamp
from services.conversation.shops import repository
from services.conversation.shops.allowed_abuse import AllowedAbuse
from services.conversation.shops.domain import FIRST_SECRET, Shop, by_column, listed_shop
from services.conversation.shops.founding import found_shop
from services.conversation.shops.schemas import (
    NewShop,
    SecretRotated,
    SecretView,
    ShopView,
    TimingChange,
    TimingView,
    WidgetChange,
    WidgetView,
    WordingPolicy,
)
from services.conversation.shops.secrets import ShopSecrets
from services.conversation.staff import hiring
from services.conversation.staff.schemas import NewStaff


class ReasonMissing(Unprocessable):
    """Abuse reaches buyers only for a reason that a leader answers for."""

    slug, title = "reason_missing", "To allow abuse needs a reason"


class AbandonedTooSoon(Unprocessable):
    """A buyer is offered to somebody else before he is given up."""

    slug, title = "abandoned_too_soon", "`abandon_s` must be longer than `silence_s`"


@dataclass(frozen=True)
class Shops:
    """Use cases about shops.

    A password is hashed before the transaction: a hash waits its turn behind logins, and must hold
    no lock meanwhile.
    """

    db: Database
    audit: Audit
    clock: Clock
    ids: Ids
    passwords: Passwords
    shop_secrets: ShopSecrets
    allowed_abuse: AllowedAbuse
    profiles: frozenset[str]
    """The rule profiles that a shop may be measured by."""

    async def create(self, body: NewShop, *, key: CommandKey) -> ShopView:
        """Create a shop with its groups and first administrator; show it with its secret.

        What is kept for repeats has no secret in it: that is derived again, as it was at first.
        """
        password_hash = await self.passwords.hash(body.admin_password)
        shop = Shop(ShopId(self.ids.new()), name=body.name, time_zone=body.time_zone)
        try:
            kept = await self._create(shop, body, password_hash, key=key)
        except Replayed as replayed:
            raise replayed.completed(ShopView, self._with_first_secret) from None
        return self._with_first_secret(kept)

    async def _create(
        self, shop: Shop, body: NewShop, password_hash: str, *, key: CommandKey
    ) -> ShopView:
        async with self.db.keyed(key, shop=shop.id) as command:
            stamp = self._stamp()
            await found_shop(command.session, shop, stamp)
            admin = NewStaff(
                login=body.admin_login,
                password=body.admin_password,
                name=body.name,
                role=Role.ADMIN,
                capacity=0,
            )
            await hiring.hire(
                command.session, shop.id, admin, password_hash=password_hash, stamp=stamp
            )
            return await command.keep(shop_view(shop))

    def _with_first_secret(self, view: ShopView) -> ShopView:
        return view.model_copy(update={"secret": self.shop_secrets.of(view.id, FIRST_SECRET)})

    async def read(self, principal: Principal, shop_id: str) -> ShopView:
        """Show the caller's own shop, or any to the platform's administrator. Raises `NotFound`.

        Buyers are not told what the shop watches for and what it lets pass.
        """
        if principal.shop_id != shop_id and not runs_platform(principal.role, principal.shop_id):
            raise NotFound
        async with self.db.read(shop_id) as session:
            shop = await repository.find_shop(session, shop_id)
        if shop is None:
            raise NotFound
        return shop_view(shop if principal.role != Role.BUYER else replace(shop, policy={}))

    async def set_policy(
        self, principal: Principal, policy: WordingPolicy, *, version: int | None = None
    ) -> ShopView:
        """Replace a shop's wording policy; gateways hear of it through the directory.

        Recorded (X4). Raises `ReasonMissing`, `PreconditionFailed`, and `Unprocessable` for a
        profile that is none.
        """
        self._refuse_unknown(policy.profiles or ())
        allows_abuse = await self.allowed_abuse.is_in(policy)
        async with self.db.write(principal.shop_id) as session:
            for phrase in (*policy.wording_terms, *policy.allow_spans, policy.reason or ""):
                refuse_unstorable(phrase)
            if allows_abuse and is_blank(policy.reason or ""):
                raise ReasonMissing
            shop = await repository.find_shop(session, principal.shop_id, lock=True)
            if shop is None:
                raise NotFound
            ensure_version(version, shop.version)
            action = "shop.abuse_allowed" if allows_abuse else "shop.wording_policy_set"
            await self.audit.note(session, principal, action, shop.id, note=policy.reason or "")
            fresh = shop.version + 1
            told = shop.policy | policy.kept() | {"policy_version": str(fresh)}
            changed = replace(shop, policy=told, version=fresh)
            await repository.save_shop(session, changed)
            await outbox.add(session, listed_shop(changed, self._stamp()))
            return shop_view(changed)

    async def timing(self, principal: Principal) -> TimingView:
        """Show the waits of the caller's shop."""
        async with self.db.read(principal.shop_id) as session:
            shop = await _own(session, principal)
        return _timing_view(shop)

    async def set_timing(self, principal: Principal, change: TimingChange) -> TimingView:
        """Change a shop's waits from now on; recorded (X4). Raises `AbandonedTooSoon`.

        What is the same already changes nothing.
        """
        async with self.db.write(principal.shop_id) as session:
            shop = await _own(session, principal, lock=True)
            timing = change.after(shop.timing)
            if timing.abandon_s <= timing.silence_s:
                raise AbandonedTooSoon
            if timing != shop.timing:
                stamp = self._stamp()
                before, told = by_column(shop.timing), by_column(timing)
                note = ", ".join(
                    f"{n} {before[n]} -> {told[n]}" for n in told if told[n] != before[n]
                )
                await self.audit.note(session, principal, "shop.timing_set", shop.id, note=note)
                shop = replace(shop, timing=timing, version=shop.version + 1)
                await repository.save_shop(session, shop)
                await repository.keep_timing(session, shop.id, timing, stamp.at)
                await outbox.add(session, listed_shop(shop, stamp))
            return _timing_view(shop)

    async def widget(self, principal: Principal) -> WidgetView:
        """Show which sites may show the chat of the caller's shop."""
        async with self.db.read(principal.shop_id) as session:
            return _widget_view(await _own(session, principal))

    async def set_widget(
        self, principal: Principal, body: WidgetChange, *, version: int | None = None
    ) -> WidgetView:
        """Replace these sites and the greeting; recorded (X4). Raises `PreconditionFailed`.

        What is the same already changes nothing.
        """
        refuse_unstorable(body.greeting)
        async with self.db.write(principal.shop_id) as session:
            shop = await _own(session, principal, lock=True)
            ensure_version(version, shop.version)
            if body.kept() != shop.widget:
                note = ", ".join(body.kept()["widget_origins"]) or "no site"
                await self.audit.note(session, principal, "shop.widget_set", shop.id, note=note)
                shop = replace(shop, widget=body.kept(), version=shop.version + 1)
                await repository.save_shop(session, shop)
                await outbox.add(session, listed_shop(shop, self._stamp()))
            return _widget_view(shop)

    async def show_secret(self, principal: Principal) -> SecretView:
        """Show a shop's secret to its administrator; recorded (X4)."""
        async with self.db.write(principal.shop_id) as session:
            shop = await _own(session, principal, lock=True)
            await self.audit.note(session, principal, "shop.secret_shown", shop.id)
            secret = self.shop_secrets.of(shop.id, shop.secret_version)
            return SecretView(shop_id=shop.id, version=shop.secret_version, secret=secret)

    async def rotate_secret(self, principal: Principal, *, key: CommandKey) -> SecretRotated:
        """Make the next secret the shop's; recorded (X4)."""
        async with self.db.keyed(key) as command:
            shop = await _own(command.session, principal, lock=True)
            rotated = replace(shop, secret_version=shop.secret_version + 1)
            await repository.save_shop(command.session, rotated)
            await self.audit.note(command.session, principal, "shop.secret_rotated", shop.id)
            return await command.keep(
                SecretRotated(shop_id=shop.id, version=rotated.secret_version)
            )

    def _refuse_unknown(self, profiles: Sequence[str]) -> None:
        """Refuse as a wrong field is refused: which names are right is the folder's to say."""
        right = "Input should be one of " + ", ".join(sorted(self.profiles))
        places = [at for at, name in enumerate(profiles) if name not in self.profiles]
        if places:
            raise invalid([{"loc": ("body", "profiles", at), "msg": right} for at in places])

    def _stamp(self) -> Stamp:
        return Stamp(self.clock.now(), self.ids)


def _widget_view(shop: Shop) -> WidgetView:
    kept = shop.widget
    return WidgetView(
        origins=tuple(kept.get("widget_origins", ())),
        greeting=kept.get("widget_greeting", ""),
        version=shop.version,
    )


def _timing_view(shop: Shop) -> TimingView:
    return TimingView.model_validate(shop.timing, from_attributes=True)


async def _own(session: AsyncSession, principal: Principal, *, lock: bool = False) -> Shop:
    shop = await repository.find_shop(session, principal.shop_id, lock=lock)
    if shop is None or shop.id == PLATFORM:
        raise NotFound
    return shop


def shop_view(shop: Shop) -> ShopView:
    """Show a shop."""
    return ShopView(
        id=shop.id,
        name=shop.name,
        time_zone=shop.time_zone,
        active=shop.active,
        version=shop.version,
        policy=shop.policy,
    )
