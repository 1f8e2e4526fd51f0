"""The monitor's use cases: fold, alert, publish the board, answer figures, keep evidence."""

from services.monitor.service.boards import Boards, Publisher
from services.monitor.service.facts import Facts
from services.monitor.service.figures import FigureReader
from services.monitor.service.folding import Rules
from services.monitor.service.lists import Lists
from services.monitor.service.partitions import FOLD, Partitions

__all__ = [
    "FOLD",
    "Boards",
    "Facts",
    "FigureReader",
    "Lists",
    "Partitions",
    "Publisher",
    "Rules",
]
