"""What a shop wants of the engine, read from its entry in the directory.

It stands here because two services judge by it and neither may import the other, and it names what
it reads by a protocol because wording and contracts may not import one another either.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from wording.model import Action, Category, Policy, Severity, Term, TermId

HOUSE: Final = Policy()
"""The policy of a shop that is not listed."""


class Listed(Protocol):
    """What of a shop's entry is about wording."""

    @property
    def shop_id(self) -> str: ...
    @property
    def wording_actions(self) -> Mapping[str, str]: ...
    @property
    def wording_terms(self) -> tuple[str, ...]: ...
    @property
    def allow_spans(self) -> tuple[str, ...]: ...
    @property
    def policy_version(self) -> str: ...
    @property
    def version(self) -> int: ...


_CATEGORIES: Final = frozenset(map(str, Category))
_ACTIONS: Final = frozenset(map(str, Action))


def policy_of(shop: Listed) -> Policy:
    """Return the policy that an entry describes. Words this release does not know it leaves out."""
    actions = dict(HOUSE.actions)
    for name, action in shop.wording_actions.items():
        if name in _CATEGORIES and action in _ACTIONS:
            actions[Category(name)] = Action(action)
    # A word that a shop adds by itself is one that it never wants to read: blocked.
    terms = tuple(
        Term(
            id=TermId(f"shop.{number}"),
            texts=(text,),
            category=Category.INSULT,
            severity=Severity.HIGH,
        )
        for number, text in enumerate(shop.wording_terms, 1)
    )
    return Policy(
        actions=actions,
        extra_terms=terms,
        allow_spans=shop.allow_spans,
        version=f"{shop.shop_id}:{shop.policy_version}:{shop.version}",
        owner=shop.shop_id,
    )
