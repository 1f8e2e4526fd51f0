"""Quick replies: read, written as whole lists, and counted when they are taken.

A list is written against the version that its writer saw, so that nobody's words go unseen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from kit.audit import Audit
from kit.clock import Clock
from kit.errors import NotFound, Unprocessable
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.postgres import Database
from kit.text import is_blank, refuse_unstorable
from kit.web.auth import Principal
from kit.web.preconditions import ensure_version
from services.conversation.domain import known_form
from services.conversation.phrases import repository
from services.conversation.phrases.domain import OF_THE_SHOP, Phrase, PhraseList
from services.conversation.phrases.schemas import (
    NewPhraseSet,
    OwnPhrases,
    PhraseListView,
    PhrasesView,
    PhraseText,
    PhraseUsed,
    PhraseView,
)


class BlankPhrase(Unprocessable):
    """A quick reply needs a title and words that somebody can see."""

    slug, title = "blank_phrase", "A quick reply needs a title and words"


class UnknownPhrase(Unprocessable):
    """An id names no quick reply of this list."""

    slug, title = "unknown_phrase", "No quick reply of this list has this id"


@dataclass(frozen=True)
class Phrases:
    """Use cases about quick replies."""

    db: Database
    audit: Audit
    clock: Clock
    ids: Ids

    async def both(self, principal: Principal) -> PhrasesView:
        """Return what the caller may take: his own quick replies, and the shop's."""
        owners = [principal.subject, OF_THE_SHOP]
        async with self.db.read(principal.shop_id) as session:
            found = await repository.lists(session, principal.shop_id, owners)
        return PhrasesView(mine=_view(found[principal.subject]), shop=_view(found[OF_THE_SHOP]))

    async def mine(self, principal: Principal) -> PhraseListView:
        """Return the caller's own quick replies."""
        async with self.db.read(principal.shop_id) as session:
            return await _listed(session, principal.shop_id, principal.subject)

    async def set_mine(
        self, principal: Principal, body: OwnPhrases, *, version: int
    ) -> PhraseListView:
        """Replace the caller's own quick replies, as of a version.

        Raises `PreconditionFailed`, `BlankPhrase`, `UnknownPhrase`.
        """
        async with self.db.write(principal.shop_id) as session:
            return await self._replace(
                session, principal, owner=principal.subject, texts=body.phrases, base=version
            )

    async def publish(
        self, principal: Principal, body: NewPhraseSet, *, key: CommandKey
    ) -> PhraseListView:
        """Replace the shop's quick replies, in force at once; recorded in the audit.

        Raises as `set_mine` does.
        """
        async with self.db.keyed(key) as command:
            session, shop_id = command.session, principal.shop_id
            shown = await self._replace(
                session, principal, owner=OF_THE_SHOP, texts=body.phrases, base=body.base
            )
            note = f"version {shown.version}, {len(shown.phrases)} phrases"
            await self.audit.note(session, principal, "phrases.set_published", shop_id, note=note)
            return await command.keep(shown)

    async def use(self, principal: Principal, phrase_id: str, *, key: CommandKey) -> PhraseUsed:
        """Count that the caller took a quick reply. Raises `NotFound`."""
        known = known_form(phrase_id)
        async with self.db.keyed(key) as command:
            uses = await repository.use(
                command.session, principal.shop_id, principal.subject, phrase_id=known
            )
            if uses is None:
                raise NotFound
            return await command.keep(PhraseUsed(id=known, uses=uses))

    async def found(self, shop_id: str, phrases: Sequence[Phrase]) -> bool:
        """Give a shop these quick replies, unless it has had some; False if it has."""
        async with self.db.write(shop_id) as session:
            if await repository.lock(session, shop_id, OF_THE_SHOP, at=self.clock.now()) > 0:
                return False
            await repository.replace(session, shop_id, OF_THE_SHOP, phrases=phrases)
            return True

    async def _replace(
        self,
        session: AsyncSession,
        principal: Principal,
        *,
        owner: str,
        texts: Sequence[PhraseText],
        base: int | None,
    ) -> PhraseListView:
        shop_id = principal.shop_id
        version = await repository.lock(session, shop_id, owner, at=self.clock.now())
        if base is not None:
            ensure_version(base, version)
        known = {
            one.id for one in (await repository.lists(session, shop_id, [owner]))[owner].phrases
        }
        phrases = [self._phrase(one, known) for one in texts]
        await repository.replace(session, shop_id, owner, phrases=phrases)
        return await _listed(session, shop_id, owner)

    def _phrase(self, text: PhraseText, known: set[str]) -> Phrase:
        """Return what is kept of a text; each id of the list is taken once."""
        for words in (text.title, text.words):
            refuse_unstorable(words)
            if is_blank(words):
                raise BlankPhrase
        if text.id is None:
            return Phrase(self.ids.new(), text.title, text.words)
        if text.id not in known:
            raise UnknownPhrase
        known.remove(text.id)
        return Phrase(text.id, text.title, text.words)


async def _listed(session: AsyncSession, shop_id: str, owner: str) -> PhraseListView:
    return _view((await repository.lists(session, shop_id, [owner]))[owner])


def _view(of: PhraseList) -> PhraseListView:
    shown = tuple(
        PhraseView(id=one.id, title=one.title, words=one.words, uses=one.uses) for one in of.phrases
    )
    return PhraseListView(version=of.version, phrases=shown)
