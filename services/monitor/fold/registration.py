"""What runs of the fold: a member of its group, and who asks how far it is."""

from collections.abc import Sequence

from contracts.topics import CHAT
from kit.bus.deadletter import DeadLetters
from kit.bus.loops import BatchLoop
from kit.service.database import DatabaseService
from services.monitor.fold.consumers import Fold
from services.monitor.fold.deadlines import CALM_S, PROBES_S, TICK_S
from services.monitor.fold.measures import Measures
from services.monitor.fold.membership import Membership
from services.monitor.fold.service import FOLD, Follower, Partitions
from services.monitor.settings import Settings


def register(
    service: DatabaseService[Settings],
    measures: Measures,
    *,
    fingerprint: str,
    followers: Sequence[Follower],
) -> Membership:
    """Fold while the book of that fingerprint is the newest; return whether it is, and how well."""
    partitions = Partitions(
        service.bus, service.db, measures, clock=service.clock, followers=followers
    )
    folding = Fold(partitions)
    membership = Membership(
        service.db,
        fingerprint,
        make_loop=lambda: _loop(service, folding),
        left=partitions.leave,
        clock=service.clock,
    )
    service.resource(partitions.begin, partitions.close)
    # No replay: what it set aside changes no figure, `recompute` compares.
    service.join(FOLD, [CHAT], membership, ping=membership.ping, replay=None)
    service.every(PROBES_S, "probes", partitions.probe, calm_s=CALM_S)
    service.every(TICK_S, "thresholds", partitions.watch)
    return membership


def _loop(service: DatabaseService[Settings], folding: Fold) -> BatchLoop:
    """Return a loop of the fold, which stores its offsets beside their effects."""
    settings = service.settings
    dead_letters = DeadLetters(service.producer, FOLD, metrics=service.metrics, clock=service.clock)
    return BatchLoop(
        service.bus,
        topics=[CHAT.name],
        group=FOLD,
        handle=folding,
        dead_letters=dead_letters,
        max_rows=settings.fold_rows,
        max_wait_ms=settings.fold_wait_ms,
        policy=None,
        after_dead=folding.passed_over,
        on_assigned=folding.assigned,
        on_revoked=folding.revoked,
        clock=service.clock,
        metrics=service.metrics,
    )
