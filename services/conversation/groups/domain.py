"""What is known of a skill group. Pure."""

from dataclasses import dataclass

from contracts.people import ShopId, SkillGroupId


@dataclass(frozen=True, slots=True)
class SkillGroup:
    """A specialised group of agents (C1)."""

    id: SkillGroupId
    shop_id: ShopId
    code: str
    name: str
