"""Which console a gateway serves: that of its settings, else the one beside the code."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from kit.service.core import Service
from kit.settings import Environment
from services.gateway.hub import Directory
from services.gateway.pages import assets
from services.gateway.pages.routes import PAGE, Pages
from services.gateway.pages.widget import WidgetPages
from services.gateway.settings import Settings

_CODE: Final = Path(__file__).resolve().parents[3]
CAME_ALONG: Final = (_CODE / "console" / "dist", _CODE / "services" / "gateway" / "console")
"""In a checkout, and in what was installed from a wheel."""

log: Final = structlog.get_logger("gateway.pages")


def register(service: Service[Settings], directory: Directory) -> None:
    """Serve the console to browsers; packing goes on in a thread while the gateway starts."""
    folder = _folder(service.settings.console_folder)
    found = assets.read(folder)
    if PAGE not in found:
        log.warning("pages.missing", folder=str(folder))
    service.resource(start=lambda: asyncio.to_thread(assets.pack, found.values()))
    widget = WidgetPages(
        found,
        service.settings.hosts,
        visited=directory.visited,
        with_demo=service.settings.environment is not Environment.PRODUCTION,
    )
    service.routes(Pages(found, service.settings.hosts).router(), widget.router())


def _folder(named: str) -> Path:
    if named:
        return Path(named)
    return next((place for place in CAME_ALONG if place.is_dir()), CAME_ALONG[0])
