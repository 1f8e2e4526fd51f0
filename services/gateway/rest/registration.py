"""What is reached by REST: this gateway's own routes, and through it those of all services."""

from collections.abc import Callable, Mapping

from kit.service.core import Service
from services.gateway.hub import Directory
from services.gateway.rest.neighbours import Neighbours
from services.gateway.rest.proxy import Proxy, service_of
from services.gateway.rest.routes import OpenApi, limits_router
from services.gateway.rest.slots import Slots
from services.gateway.rest.widget import widget_router
from services.gateway.settings import Settings


def register(
    service: Service[Settings],
    limits: Callable[[], Mapping[str, object]],
    *,
    directory: Directory,
) -> None:
    """Pass requests on; `limits` returns what a client of the socket must keep to."""
    settings = service.settings
    neighbours = Neighbours(settings.addresses, timeout_s=settings.proxy_timeout_s)
    openapi = OpenApi(neighbours, leads_to=service_of, clock=service.clock)
    service.resource(stop=neighbours.close)
    proxy = Proxy(neighbours)
    service.routes(
        limits_router(limits),
        widget_router(directory),
        openapi.router(lambda: service.http),
        Slots(proxy, settings.hosts).router(),
        proxy.router(),
    )
