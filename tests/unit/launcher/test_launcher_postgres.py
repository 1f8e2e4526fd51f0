"""Whether a server takes connections is what it says, not whether its port is open."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from launcher.postgres import server

pytestmark = pytest.mark.unit

SCRAM = b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00"
SHUTTING_DOWN = (
    b"E\x00\x00\x00\x3cSFATAL\x00VFATAL\x00C57P03\x00Mthe database system is shutting down\x00\x00"
)


@contextmanager
def somebody_who_says(words: bytes) -> Iterator[int]:
    """Yield the port of one who hears out whoever comes, says this and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(words)

        serving = Thread(target=serve, daemon=True)
        serving.start()
        yield listening.getsockname()[1]
        serving.join(5)


def test_a_server_that_asks_for_the_password_takes_connections() -> None:
    with somebody_who_says(SCRAM) as port:
        assert server.accepts(port)


@pytest.mark.parametrize("words", [SHUTTING_DOWN, b""])
def test_one_that_turns_everybody_away_takes_none_though_its_port_is_open(words: bytes) -> None:
    with somebody_who_says(words) as port:
        assert not server.accepts(port)


def test_a_closed_port_takes_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    assert not server.accepts(port)
