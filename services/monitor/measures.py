"""What is counted along the fold, in the order in which it is."""

from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import Measures
from services.monitor.response.measure import Response
from services.monitor.traffic.measure import TrafficMeasure
from services.monitor.wording.measure import WordingMeasure


def measures_of(rules: Rules) -> Measures:
    """Return what makes a partition's measures; traffic first makes the days that flags go to."""
    return lambda: (Response(rules), TrafficMeasure(rules), WordingMeasure(rules))
