"""What is counted along the fold, in the order in which it is."""

from services.monitor.curve.measure import Charted
from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import Measures
from services.monitor.reception.book import SHIPPED
from services.monitor.reception.measure import ReceptionMeasure
from services.monitor.traffic.measure import TrafficMeasure
from services.monitor.wording.measure import WordingMeasure


def measures_of(rules: Rules, *, believes_gate: bool = False) -> Measures:
    """Return what makes a partition's measures; traffic first makes the days that flags go to.

    `believes_gate`: words that the gate cleared by the rules at hand are not judged again.
    """
    return lambda: (
        Charted(rules),
        TrafficMeasure(rules),
        WordingMeasure(rules, believes_gate=believes_gate),
        ReceptionMeasure(rules, SHIPPED),
    )
