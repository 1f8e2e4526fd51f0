"""Which methods a path offers, for `Allow`; and what makes HEAD an answer to every GET.

Knows an application's routes as things that match or do not; must not know any of them.
"""

from collections.abc import MutableMapping
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import Match

Scope = MutableMapping[str, Any]

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that any route may offer; others are answered 405."""


def as_routed(scope: Scope) -> Scope:
    """Return the scope that routes see: HEAD is GET to them, and the server leaves out the body."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


def allowed(scope: Scope) -> str:
    """Return the methods of a path in the form of `Allow`; FastAPI names those of one route alone.

    Empty where no route has the path.
    """
    app = scope.get("app")
    if not isinstance(app, Starlette):
        return ""
    asked = {name: scope[name] for name in ("type", "path", "headers", "app") if name in scope}
    asked["root_path"] = scope.get("root_path", "")
    found = {
        method
        for method in METHODS - {"HEAD"}
        if any(route.matches({**asked, "method": method})[0] is Match.FULL for route in app.routes)
    }
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))
