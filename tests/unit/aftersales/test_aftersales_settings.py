"""The settings of aftersales: a deadline lies ahead of what it is the deadline of."""

import pytest

from kit.settings import SettingsRefused, load
from services.aftersales.settings import Settings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name", ["ADDRESS_CHECK_WITHIN", "REVIEW_WITHIN", "REFUND_WITHIN", "WARN_BEFORE"]
)
@pytest.mark.parametrize("duration", ["PT0S", "-PT1H", "0:00:00"])
def test_a_duration_of_nothing_or_less_refuses_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, duration: str
) -> None:
    monkeypatch.setenv(f"PEAKDESK_{name}", duration)

    with pytest.raises(SettingsRefused, match=f"PEAKDESK_{name}: .* greater than 0 seconds"):
        load(Settings)
