"""The names of rule profiles, which conversation must know and the monitor has."""

import pytest

from contracts.conversation import ShopListed
from contracts.monitor import RuleProfile
from services.monitor.profiles import book as profiles

pytestmark = pytest.mark.unit


def test_the_contract_names_the_profiles_that_the_monitor_ships() -> None:
    """A new profile is one file; what shops may be measured by is told by its name here."""
    assert [str(one) for one in RuleProfile] == sorted(profiles.load().versions)


def test_a_new_shop_is_measured_by_profiles_that_exist() -> None:
    assert set(ShopListed.model_fields["profiles"].default) <= {str(one) for one in RuleProfile}
