"""REST under one origin: the gateway's own few routes, and everything else passed on to services.

Knows prefixes, headers and addresses; must not know sockets or what a route of a service does.
"""

from services.gateway.rest.proxy import NeighbourTransport, Proxy, service_of
from services.gateway.rest.routes import OpenApi, limits_router

__all__ = ["NeighbourTransport", "OpenApi", "Proxy", "limits_router", "service_of"]
