"""The settings of orders: a buyer is asked again after a while, not at once."""

import pytest

from kit.settings import SettingsRefused, load
from services.orders.settings import Settings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("duration", ["PT0S", "-PT1H", "0:00:00"])
def test_a_duration_of_nothing_or_less_refuses_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, duration: str
) -> None:
    monkeypatch.setenv("PEAKDESK_ADDRESS_CHECK_AGAIN_AFTER", duration)

    with pytest.raises(
        SettingsRefused, match=r"PEAKDESK_ADDRESS_CHECK_AGAIN_AFTER: .* greater than 0 seconds"
    ):
        load(Settings)
