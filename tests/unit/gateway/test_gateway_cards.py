"""Cards of the kinds that are registered: the gateway takes what their contract takes."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

import contracts
from contracts.cards import CARDS, ROUTES
from contracts.schemas import of_card, path_of_card
from kit.errors import AppError
from services.gateway.frames import cards
from services.gateway.frames.refusals import BadFrame, Forbid

pytestmark = pytest.mark.unit

SAMPLES = Path(contracts.__file__).parent / "samples" / "cards"
KINDS = sorted(CARDS)


def sample(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{kind}.json").read_text())
    return found


def answer(kind: str) -> dict[str, Any]:
    """Return what a buyer says who pressed the card of the sample."""
    asked = sample(kind)
    (action,) = asked.pop("actions")
    return asked | {"answers": "01939c2e-8a00-8000-8000-000000000001", "action": action["id"]}


def taken(card: object, *, is_buyer: bool = False) -> bool:
    try:
        cards.refuse_unfit(msgspec.json.encode(card), is_buyer=is_buyer)
    except AppError:
        return False
    return True


def fits(card: dict[str, Any]) -> bool:
    try:
        CARDS[card["card"]].model_validate_json(json.dumps(card))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_the_kept_schema_of_a_card_is_the_models(kind: str) -> None:
    assert json.loads(path_of_card(kind).read_text()) == of_card(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_staff_offer_what_the_buyer_says_that_he_pressed(kind: str) -> None:
    asked, pressed = sample(kind), answer(kind)

    assert {one["id"] for one in asked["actions"]} <= set(ROUTES[kind])
    assert [fits(asked), fits(pressed)] == [True, True]
    assert [taken(asked), taken(pressed, is_buyer=True)] == [True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_writes_the_others(kind: str) -> None:
    for card, is_buyer in ((sample(kind), True), (answer(kind), False)):
        with pytest.raises(Forbid):
            cards.refuse_unfit(msgspec.json.encode(card), is_buyer=is_buyer)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"ref": "../me"},
        {"ref": "another"},
        {"text": ""},
        {"text": None},
        {"valid_until": "soon"},
        {"valid_until": "2026-11-11T12:00:00"},
        {"extra": 1},
        {"actions": [{"id": "close", "label": "x", "route": "/v1/orders/a/close"}]},
        {"actions": [{"id": "confirm_address", "label": "x", "route": "/v1/me"}]},
        {"actions": [sample("order")["actions"][0] | {"label": "字" * 41}]},
        {"actions": [sample("order")["actions"][0]] * 6},
        {"action": "confirm_address"},
        {"answers": "m", "action": "close"},
    ],
)
def test_what_the_contract_refuses_is_refused(change: dict[str, Any]) -> None:
    card = sample("order") | change

    assert not fits(card)
    assert not taken(card, is_buyer="answers" in card)


def test_a_card_of_no_known_kind_is_free_json_from_both_sides() -> None:
    for card in ({"title": "订单"}, {"card": "coupon", "fen": 100}, {"card": ["order"]}):
        assert [taken(card), taken(card, is_buyer=True)] == [True, True]


def test_a_card_that_does_not_fit_is_named() -> None:
    with pytest.raises(BadFrame, match="order"):
        cards.refuse_unfit(msgspec.json.encode({"card": "order"}), is_buyer=False)
