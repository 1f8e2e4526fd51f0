"""First things first: the platform's administrator and a demo shop with its staff, made once.

Run by `peakdesk seed` after the migrations. A second run finds everything and changes nothing.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from pydantic import Field, SecretStr

from contracts.people import Role, ShopId
from kit.audit import Audit
from kit.clock import SystemClock
from kit.ids import derived_id
from kit.settings import load
from services.conversation.administrator import (
    LOGIN,
    AdministratorSettings,
    appoint,
    founding_database,
    founding_on,
)
from services.conversation.phrases.domain import Phrase
from services.conversation.phrases.service import Phrases
from services.conversation.shops.domain import Shop
from services.conversation.shops.founding import Founding, Person
from services.conversation.tables import AUDIT

DEMO_SHOP: Final = ShopId(derived_id("shop", "demo"))

DEMO_PHRASES: Final = {
    "欢迎光临": "您好，欢迎光临，我是您的专属客服。请问想了解哪一款，还是有订单要查？",
    "请稍等": "您稍等，我马上帮您核实，两分钟内给您答复。",
    "有货": "您看的这一款有现货，今天下午四点前付款，当天就能发出。",
    "暂时缺货": "这个尺码暂时缺货，预计三天内补到。到货后我第一时间告诉您，可以吗？",
    "推荐尺码": "麻烦告诉我您的身高、体重和平时穿的尺码，我帮您选一个合适的。",
    "什么时候发货": "您的订单 {订单号} 已经排上了，预计 {承诺时间} 前发出，发出后会有短信通知您。",
    "查物流": "订单 {订单号} 正在路上，我帮您催一下快递，有新进展马上告诉您。",
    "修改地址": "可以改。请把新的收件人、电话和详细地址发给我，我核对后马上帮您改。",
    "开发票": "可以开电子发票。请把抬头、税号和邮箱发给我，一个工作日内发到您的邮箱。",
    "七天无理由": "签收后七天内、不影响二次销售，都可以退换。您在订单里点申请，我这边马上处理。",
    "退款进度": "退款已经提交，{承诺时间} 前会退回原来的付款方式，请您留意一下。",
    "商品有瑕疵": "给您添麻烦了，实在抱歉。请拍两张照片发给我，我马上帮您换新或退款。",
    "差价": "您说的情况我理解。我先帮您核对一下价格保护的时间，符合的话差价会退给您。",
    "承诺回复": "这件事我需要和仓库确认，{承诺时间} 前一定给您答复。",
    "表示感谢": "感谢您的耐心等待，也感谢您对我们的支持。",
    "结束语": "请问还有别的可以帮您吗？没有的话祝您生活愉快，有需要随时找我。",
}
"""What the demo shop says again and again, by title; braces hold what is filled in."""


class SeedSettings(AdministratorSettings):
    """What a seed is told besides the administrator's. Passwords are the instance's own."""

    seed_admin_password: SecretStr = Field(min_length=8)
    seed_supervisor_password: SecretStr = Field(min_length=8)
    seed_agent_password: SecretStr = Field(min_length=8)
    seed_agents: int = Field(default=8, ge=1, le=200)
    seed_shop_name: str = "示范旗舰店"


@dataclass(frozen=True)
class Seeded:
    """What is there after a seed; `created` counts what was not there before."""

    shop_id: ShopId
    shop_secret: str
    logins: tuple[str, ...]
    created: int


async def seed(founding: Founding, settings: SeedSettings) -> Seeded:
    """Make the platform's administrator and the demo shop unless they are there."""
    shop = Shop(DEMO_SHOP, name=settings.seed_shop_name)
    created = int(await appoint(founding, settings))
    created += await founding.shop(shop)
    everybody = _everybody(settings)
    for person in everybody:
        created += await founding.person(person)
    created += await _phrases(founding).found(shop.id, _demo_phrases())
    return Seeded(
        shop_id=shop.id,
        shop_secret=founding.shop_secrets.of(shop.id, shop.secret_version),
        logins=(LOGIN, *(person.login for person in everybody)),
        created=created,
    )


def _phrases(founding: Founding) -> Phrases:
    audit = Audit(AUDIT, founding.clock, founding.ids)
    return Phrases(founding.db, audit, founding.clock, founding.ids)


def _demo_phrases() -> list[Phrase]:
    return [
        Phrase(derived_id("phrase", DEMO_SHOP, title), title, words)
        for title, words in DEMO_PHRASES.items()
    ]


def _everybody(settings: SeedSettings) -> list[Person]:
    agents = settings.seed_agent_password.get_secret_value()
    leader = settings.seed_supervisor_password.get_secret_value()
    admin = settings.seed_admin_password.get_secret_value()
    return [
        Person("admin@demo", "店长", Role.ADMIN, admin, DEMO_SHOP, capacity=0),
        Person("supervisor@demo", "客服主管", Role.SUPERVISOR, leader, DEMO_SHOP, capacity=0),
        *(
            Person(f"agent{number}@demo", f"客服{number}号", Role.AGENT, agents, DEMO_SHOP)
            for number in range(1, settings.seed_agents + 1)
        ),
    ]


async def _main(settings: SeedSettings) -> None:
    db = founding_database(settings, "seed")
    founding = founding_on(db, settings, clock=SystemClock(), passwords=settings.passwords())
    try:
        done = await seed(founding, settings)
    finally:
        await db.close()
    shown = {
        "shop_id": done.shop_id,
        "shop_secret": done.shop_secret,
        "logins": done.logins,
        "created": done.created,
    }
    print(json.dumps(shown))  # noqa: T201 - the answer of a command


if __name__ == "__main__":
    asyncio.run(_main(load(SeedSettings)))
