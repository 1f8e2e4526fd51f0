"""Which service a public path leads to."""

import pytest

from services.gateway.rest.proxy import PREFIXES, service_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("head", "service"), PREFIXES.items())
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
        "/v1/audit/monitor",
        "/v1/audit/gateway",
        "/v1/audit/ordersx",
        "/v1/x/audit/orders",
    ],
)
def test_every_other_path_leads_nowhere(path: str) -> None:
    assert service_of(path) is None
