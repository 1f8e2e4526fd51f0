"""Quick replies on the wire."""

from typing import Annotated

from pydantic import Field

from kit.web.app import Body
from services.conversation.access.schemas import View
from services.conversation.phrases.domain import PHRASES_MOST

PhraseTitle = Annotated[str, Field(min_length=1, max_length=80)]
PhraseWords = Annotated[str, Field(min_length=1, max_length=2000)]


class PhraseText(Body):
    """A quick reply to keep. With the `id` of one of the same list it is that one, changed.

    In `words` stand `{买家}`, `{订单号}` and `{承诺时间}` for what a client fills in.
    """

    id: str | None = Field(default=None, max_length=64)
    title: PhraseTitle
    words: PhraseWords


Texts = Annotated[tuple[PhraseText, ...], Field(max_length=PHRASES_MOST)]


class OwnPhrases(Body):
    """One's own quick replies, whole and in order."""

    phrases: Texts


class NewPhraseSet(Body):
    """The shop's quick replies, whole and in order.

    `base` is the version that they were made from: where another one is in force, that is 412.
    """

    phrases: Texts
    base: int | None = Field(default=None, ge=0)


class PhraseView(View):
    """A quick reply, and how often it was taken."""

    id: str
    title: str
    words: str
    uses: int


class PhraseListView(View):
    """A list of quick replies, in order; version 0: nobody has written it yet."""

    version: int
    phrases: tuple[PhraseView, ...]


class PhrasesView(View):
    """The quick replies that somebody may take: his own, and the shop's."""

    mine: PhraseListView
    shop: PhraseListView


class PhraseUsed(View):
    """How often a quick reply was taken by now."""

    id: str
    uses: int
