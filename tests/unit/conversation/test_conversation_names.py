"""What people, shops and groups may be called."""

import pytest
from pydantic import ValidationError

from contracts.people import Role
from services.conversation.staff.schemas import NewStaff, StaffChange

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["安妮", "Anne-Marie O'Neil", "小 王 (夜班)", "👩‍💻 小李"])
def test_a_name_is_kept_as_it_is_written(name: str) -> None:
    assert StaffChange(name=name).name == name


@pytest.mark.parametrize("breaking", ["\n", "\r\n", "\t", "\v", "\x85", "\u2028", "\u2029", "\x1b"])
def test_a_name_is_one_line(breaking: str) -> None:
    name = f"安妮{breaking}已审批"

    with pytest.raises(ValidationError, match="must be one line"):
        StaffChange(name=name)
    with pytest.raises(ValidationError, match="must be one line"):
        NewStaff(login="annie", password="p" * 8, name=name, role=Role.AGENT)
