"""What the launcher knows of the demo shop, beside what makes it."""

import pytest

from launcher import seed
from services.conversation.seed import DEMO_SHOP

pytestmark = pytest.mark.unit


def test_the_launcher_names_the_shop_that_is_made() -> None:
    assert seed.SHOP == DEMO_SHOP
