"""How far along a stream a database is known to hold everything, and what follows from that at a start."""

from datetime import datetime
from typing import NamedTuple


class Floor(NamedTuple):
    """The stream sequence up to which all is in this database, and when that stream was made, None when unknown."""

    sequence: int
    stream_created: datetime | None


def first_to_repeat(stored: Floor, *, reached: int, end: int, created: datetime | None) -> int | None:
    """The sequence to be delivered again from, None when the consumer is where the database is.

    A consumer that reached further than the stored floor is past what this database may not have. A stream that was
    made again, or has less than the floor, or a consumer behind it, uses sequences below the floor for other events.
    """
    made_again = stored.stream_created not in (None, created)
    if made_again or end < stored.sequence or reached < stored.sequence:
        return 1
    return stored.sequence + 1 if reached > stored.sequence else None
