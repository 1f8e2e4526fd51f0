"""The table of simplified characters is what OpenCC says, and the engine folds by it."""

import pytest

from tools import simplified
from wording.folding import folding

pytestmark = pytest.mark.unit


def test_the_table_is_as_it_is_made() -> None:
    assert simplified.TABLE.read_text(encoding="utf-8") == simplified.made()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("媽媽罵臟話", "妈妈骂脏话"),
        ("你這個賤貨滾蛋", "你这个贱货滚蛋"),
        ("婊子養嘅雜種", "婊子养嘅杂种"),
        ("脳残", "脑残"),
        ("説話", "说话"),
        ("嬭嬭", "奶奶"),
        ("佛學", "佛学"),
        ("幹嘛", "干嘛"),
    ],
)
def test_traditional_and_japanese_forms_fold(text: str, folded: str) -> None:
    assert folding().fold(text) == folded
