"""What the document promises of a field is what the field takes."""

import re

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.types import HOURS_PATTERN
from flexjob_pool.requests.ask import HoursWorked

HOURS_WORKED: TypeAdapter[object] = TypeAdapter(HoursWorked)
# To JSON Schema a digit is one of ten.
PROMISED = re.compile(HOURS_WORKED.json_schema()["pattern"], re.ASCII)
EDGES = ("0", "0.0", "0.00", "0.01", "0.10", "00.5", "9", "9.999", "10", "167.99", "168", "168.00", "168.01", "169")


def taken(text: str) -> bool:
    try:
        HOURS_WORKED.validate_python(text)
    except ValidationError:
        return False
    return True


@given(st.sampled_from(EDGES) | st.from_regex(re.compile(HOURS_PATTERN, re.ASCII), fullmatch=True))
def test_hours_worked_are_taken_as_the_document_promises(text: str) -> None:
    assert taken(text) == bool(PROMISED.fullmatch(text))
