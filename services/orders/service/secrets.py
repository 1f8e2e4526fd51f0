"""Each shop's intake secrets: derived from one master key, so that none is stored; rotated by hand.

Knows which versions are in force. What a signature is, the intake knows.
"""

import asyncio
import hmac
from hashlib import sha256
from typing import Final

from pydantic import SecretStr

from contracts.people import ShopId
from kit.audit import Audit
from kit.clock import Clock
from kit.idempotency import CommandKey
from kit.postgres import Database
from kit.web.auth import Principal
from services.orders import repository
from services.orders.schemas import IntakeSecret, IntakeSecretRotated, show_key
from services.orders.service.access import Access

FRESH_S: Final = 1.0
"""Age of the versions that a process goes by, and so the time that a rotation takes everywhere.

All are read at once and at most so often: a flood of forged deliveries, which anybody can send,
costs the database one read a second, whatever shops it names.
"""


class Secrets:
    """Shows, rotates and derives intake secrets. Two are in force: the newest and the one before.

    A shop that never rotated has version 0 alone.
    """

    def __init__(
        self,
        database: Database,
        access: Access,
        audit: Audit,
        *,
        clock: Clock,
        master_key: SecretStr,
    ) -> None:
        self._db = database
        self._access = access
        self._audit = audit
        self._clock = clock
        self._master = master_key.get_secret_value().encode()
        self._versions: dict[str, int] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def in_force(self, shop_id: ShopId) -> list[bytes]:
        """Return the keys that a delivery of the shop may be signed with, the newest first."""
        version = (await self._known()).get(shop_id, 0)
        return [self._key(shop_id, one) for one in range(version, max(-1, version - 2), -1)]

    async def show(self, principal: Principal, shop_id: ShopId) -> IntakeSecret:
        """Return the newest secret; the look is audited. Raises `NotFound` for another shop's."""
        await self._access.admit_to_secret(principal, shop_id, action="intake_secret_shown")
        async with self._db.read(shop_id) as session:
            version = await repository.intake_version(session, shop_id)
        secret = show_key(self._key(shop_id, version))
        return IntakeSecret(shop_id=shop_id, version=version, secret=secret)

    async def rotate(
        self, principal: Principal, shop_id: ShopId, *, key: CommandKey
    ) -> IntakeSecretRotated:
        """Put the next secret in force; the newest until now stays so, the one before it ends.

        Audited. Raises `NotFound` for another shop's.
        """
        await self._access.admit_to_secret(principal, shop_id)
        async with self._db.keyed(key) as command:
            version = await repository.rotate_intake(command.session, shop_id)
            await self._audit.note(
                command.session,
                principal,
                "intake_secret_rotated",
                "intake_secret",
                shop_id=shop_id,
                note=f"version {version}",
            )
            answer = await command.keep(IntakeSecretRotated(shop_id=shop_id, version=version))
        self._read_at = float("-inf")
        return answer

    async def _known(self) -> dict[str, int]:
        """Return the versions, read anew when they are old: by one task for all who wait.

        With the database away they are all told so at once, not one after the other.
        """
        if self._clock.monotonic() - self._read_at >= FRESH_S:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)
        return self._versions

    async def _read(self) -> None:
        begun = self._clock.monotonic()
        async with self._db.read_across("versions of every shop") as session:
            self._versions = await repository.intake_versions(session)
        self._read_at = begun

    def _key(self, shop_id: ShopId, version: int) -> bytes:
        """Derive a key. Version 0 has no number in it: it was there before there were versions."""
        named = b"peakdesk.intake\n" + shop_id.encode()
        return hmac.digest(self._master, named + (b"\n%d" % version if version else b""), sha256)
