"""What runs of the way into the log."""

import random

from kit.reloading import EVERY_S as RELOAD_S
from kit.reloading import Reloading
from kit.service.core import Service
from services.gateway.history import HistoryClient, Ring
from services.gateway.hub import Directory
from services.gateway.inbound.batcher import Batcher
from services.gateway.inbound.gate import Gate
from services.gateway.inbound.parsing import MessageIds
from services.gateway.inbound.sends import Inbound
from services.gateway.inbound.shedder import LoadShedder
from services.gateway.inbound.signals import Signals
from services.gateway.settings import Settings
from wording import LexiconError, LiveEngine


def register(
    service: Service[Settings],
    lexicon: LiveEngine,
    directory: Directory,
    *,
    ring: Ring,
    history: HistoryClient,
) -> tuple[Inbound, Signals]:
    """Hand over what is said, tick by tick; return who takes sends, and who takes signals."""
    settings, clock, producer = service.settings, service.clock, service.producer
    batcher = Batcher(producer, clock, tick_s=settings.tick_ms / 1000)
    shedder = LoadShedder(
        clock=clock,
        metrics=service.metrics,
        chance=random.Random(),  # noqa: S311 - spreads resends, no secret
        after_s=settings.shed_after_s,
    )
    inbound = Inbound(
        producer,
        batcher,
        gate=Gate(
            lexicon,
            directory,
            settings.cursor_secret.get_secret_value().encode(),
            takes_notes=settings.notes,
        ),
        ids=MessageIds(settings.dated_ids_from, settings.dated_ids_until),
        ring=ring,
        history=history,
        clock=clock,
        metrics=service.metrics,
        shedder=shedder,
        outcome_s=settings.outcome_s,
    )
    service.role(batcher)
    service.role(inbound)
    service.every(RELOAD_S, "lexicon", Reloading("lexicon", lexicon, refused=LexiconError))
    return inbound, Signals(producer, batcher, clock, ids=service.ids)
