"""What runs of the channels, and how they are reached."""

from contracts.people import ShopId
from kit.audit import Audit
from kit.outgoing import Outgoing, StandIns
from kit.sealing import Sealer
from kit.service.database import DatabaseService
from kit.web.paging import Cursors
from services.monitor.channels import routes
from services.monitor.channels.deadlines import CALM_S, EVERY_S
from services.monitor.channels.sending import Courier, Sender
from services.monitor.channels.service import ChannelCommands, ChannelReading
from services.monitor.channels.texts import Place
from services.monitor.directory.shops import Directory
from services.monitor.settings import Settings

POOL = 3
"""Connections of the sender: one holds the lease, and no robot's answer waits for the fold's."""


def register(service: DatabaseService[Settings], directory: Directory, audit: Audit) -> Courier:
    """Keep channels, and send what is due over them in one process of all."""
    settings, clock, ids = service.settings, service.clock, service.ids
    sealer = Sealer(settings.channel_key)
    outgoing = Outgoing(StandIns.of(settings.outgoing_stand_ins))

    def place_of(shop_id: ShopId) -> Place:
        shop = directory.shop(shop_id)
        return Place(shop.name, shop.calendar.zone, settings.public_url)

    pool = service.pool("channels", POOL)
    courier = Courier(pool, sealer, outgoing, place_of=place_of, clock=clock, ids=ids)
    sender = Sender(pool, courier, clock=clock)
    service.resource(stop=sender.close)
    service.resource(stop=outgoing.close)
    service.every(EVERY_S, "channels", sender.send_due, calm_s=CALM_S)
    commanding = ChannelCommands(service.db, sealer, outgoing, audit=audit, clock=clock, ids=ids)
    service.routes(
        routes.reading(ChannelReading(service.db, Cursors(settings.cursor_secret))),
        routes.commands(commanding),
    )
    return courier
