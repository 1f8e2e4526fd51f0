"""REST under one origin: the gateway's own few routes, and everything else passed on to services.

Knows prefixes, headers and addresses; must not know sockets or what a route of a service does.
"""

from services.gateway.rest.neighbours import Neighbours, pool
from services.gateway.rest.proxy import Proxy, service_of
from services.gateway.rest.routes import OpenApi, limits_router

__all__ = ["Neighbours", "OpenApi", "Proxy", "limits_router", "pool", "service_of"]
