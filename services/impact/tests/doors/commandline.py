"""What a command leaves behind, and the damage that `verify` and `rebuild` are tried on."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

FACTS = 9
DAMAGED = (
    "UPDATE running_sum SET amount = 5 WHERE measure = 'persons_in_flexjob' AND dimensions ->> 'department' = 'Teknik'"
)


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Kraftcenter = Callable[..., Awaitable[Said]]


def lines(said: Said) -> list[list[str]]:
    """The cells of each line of a table."""
    rows = [row for row in said.out.splitlines() if row.startswith("│")]
    return [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]


def one_message(said: Said) -> str:
    """What stands on stderr, as one line; never a traceback."""
    assert "Traceback" not in said.err
    return " ".join(said.err.replace("│", " ").split())
