"""Which pictures a stored body names: those are kept, and the others go after a day."""

import pytest

from services.conversation.archive.domain import pictures_in

pytestmark = pytest.mark.unit

TALK = "01a22114-3ca5-7000-a72a-0f2f1ba83a96"
PICTURE = "01a22115-5a55-7006-920e-4ca97f4fd19c"
OTHER = "01a22115-5a55-7007-9f9a-1edc8ef144dc"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (f'{{"kind":"image","d":{{"url":"/v1/images/{TALK}/{PICTURE}"}}}}', [PICTURE]),
        (rf'{{"kind":"image","d":{{"url":"\/v1\/images\/{TALK}\/{PICTURE}"}}}}', [PICTURE]),
        (f'{{"d":{{"text":"看 /v1/images/{TALK}/{PICTURE} /v1/images/{TALK}/{OTHER}"}}}}',
         [PICTURE, OTHER]),
        (f'{{"d":{{"text":"/v1/images/{TALK}"}}}}', []),
        ('{"d":{"text":"/images 在哪"}}', []),
        ('{"d":{"text":"在吗"}}', []),
    ],
)  # fmt: skip
def test_a_picture_is_named_by_its_address_however_its_slashes_are_written(
    body: str, named: list[str]
) -> None:
    assert pictures_in(body) == named
