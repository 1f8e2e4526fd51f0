"""How long it is kept who has signed in from where, and what he may renew his session with."""

from dataclasses import dataclass
from typing import Final

from kit.clock import Clock
from kit.ids import Ids
from kit.postgres import Database
from services.conversation.domain import Stamp
from services.conversation.login import repository
from services.conversation.login.limits import FAMILIAR
from services.conversation.tokens import repository as tokens
from services.conversation.tokens.withdrawals import forget_ended

FORGOTTEN_AT_ONCE: Final = 5000


@dataclass(frozen=True)
class Retention:
    """A use case of time alone. Any number of replicas may forget."""

    db: Database
    clock: Clock
    ids: Ids

    async def forget(self) -> int:
        """Forget a batch of what has had its time; return how many rows that was."""
        async with self.db.write_across("forgetting") as session:
            now = self.clock.now()
            over = await tokens.forget_expired(session, now, limit=FORGOTTEN_AT_ONCE)
            ended = await forget_ended(session, Stamp(now, self.ids), limit=FORGOTTEN_AT_ONCE)
            over += len(ended)
            return over + await repository.forget(session, now - FAMILIAR, limit=FORGOTTEN_AT_ONCE)
