"""These tests run on uvloop, as the services do: its transports differ from asyncio's."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


@pytest.hookimpl
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the event loop of every test in this folder."""
    return {"uvloop": uvloop.new_event_loop}
