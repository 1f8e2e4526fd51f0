"""Which service a public path leads to."""

import pytest

from services.gateway.rest.heads import HEADS
from services.gateway.rest.proxy import service_of
from tools import heads

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("head", "service"), HEADS.items())
def test_a_head_leads_to_its_service(head: str, service: str) -> None:
    for tail in ("", "/", "/x", "/x/y"):
        assert service_of(f"/v1/{head}{tail}") == service


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "/v1/",
        "/v2/orders",
        "/orders",
        "/v1/ordersx",
        "/v1/audit",
        "/v1/audit/",
        "/v1/audit/gateway",
        "/v1/audit/ordersx",
        "/v1/x/audit/orders",
    ],
)
def test_every_other_path_leads_nowhere(path: str) -> None:
    assert service_of(path) is None


def test_the_map_is_what_the_services_routes_say() -> None:
    assert heads.FILE.read_text(encoding="utf-8") == heads.written(), "run python -m tools.heads"


def test_every_route_of_a_service_is_led_to_it() -> None:
    led = [(name, path, service_of(path)) for name, path in heads.routes()]

    assert len(led) > len(HEADS)
    assert [one for one in led if one[0] != one[2]] == []


def test_two_services_that_answer_the_same_path_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = [("orders", "/v1/audit/orders"), ("monitor", "/v1/audit/orders/{id}")]
    monkeypatch.setattr(heads, "routes", lambda: iter(routes))
    with pytest.raises(ValueError, match="/v1/audit/orders is answered by orders and by monitor"):
        heads.heads()
