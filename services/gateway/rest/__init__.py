"""REST under one origin: the gateway's own few routes, and everything else passed on to services.

Knows prefixes, headers and addresses; must not know sockets or what a route of a service does.
"""

from services.gateway.rest.neighbours import pool

__all__ = ["pool"]
