"""What `just prove volume` may ask for."""

import pytest

FULL = 1_000_000


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `just prove volume`."""
    volume = parser.getgroup("volume", "how much the tables hold")
    volume.addoption(
        "--conversations",
        type=int,
        default=FULL,
        help="conversations in the full tables; ten messages each, an agent for every 200",
    )
    volume.addoption("--repeats", type=int, default=40, help="measure everything so often")


@pytest.fixture(scope="session")
def conversations(request: pytest.FixtureRequest) -> int:
    """How many conversations the full tables hold."""
    return int(request.config.getoption("conversations", FULL))


@pytest.fixture(scope="session")
def repeats(request: pytest.FixtureRequest) -> int:
    """How often everything is measured in each database."""
    return int(request.config.getoption("repeats", 40))
