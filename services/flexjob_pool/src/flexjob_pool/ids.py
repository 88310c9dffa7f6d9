"""Ids of events: each is greater than the one before, so that decisions of one instant stay in their order.

That holds within one process, and so does the order of their instants: one process decides for a municipality.
"""

import time
from collections.abc import Iterator
from secrets import randbits
from uuid import UUID


def time_ordered_ids() -> Iterator[UUID]:
    """UUIDs of version 7 in real time: a millisecond and 12 bits of its fraction, then 62 random bits."""
    stamp = 0
    while True:
        # A clock that stands still or is set back must not repeat or reverse the order.
        stamp = max(stamp + 1, (time.time_ns() << 12) // 1_000_000)
        yield UUID(int=stamp >> 12 << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 2 << 62 | randbits(62))
