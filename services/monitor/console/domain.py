"""What wording categories are called on a screen. Pure values."""

from collections.abc import Mapping
from typing import Final

from profiles import Title
from wording import Category

CALLED: Final[Mapping[Category, Title]] = {
    Category.INSULT: Title(zh="辱骂", en="Insult"),
    Category.THREAT: Title(zh="威胁", en="Threat"),
    Category.DISCRIMINATION: Title(zh="歧视", en="Discrimination"),
    Category.COMMAND: Title(zh="命令口吻", en="Ordering about"),
    Category.QUESTIONING: Title(zh="质问", en="Interrogating"),
    Category.COLD: Title(zh="冷漠", en="Coldness"),
    Category.BARGAIN_REFUSAL: Title(zh="生硬拒绝议价", en="Curt refusal to bargain"),
    Category.SHIRKING: Title(zh="推脱", en="Shirking"),
    Category.OVER_PROMISE: Title(zh="过度承诺", en="Promising too much"),
    Category.OFF_PLATFORM: Title(zh="引导站外", en="Luring off the platform"),
    Category.REVIEW_INDUCEMENT: Title(zh="诱导好评", en="Buying reviews"),
    Category.REASON_STEERING: Title(zh="诱导退款理由", en="Steering a refund's reason"),
    Category.PII_LEAK: Title(zh="泄露隐私", en="Giving personal data away"),
    Category.ANGER: Title(zh="情绪激动", en="Anger"),
}
"""Every category; a test looks for one that has no name yet."""
