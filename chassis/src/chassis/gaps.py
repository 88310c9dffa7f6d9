"""Gaps: what a stream has lost from its midst, as from a damaged block, which no publication would ever notice."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from time import monotonic

from nats.js.api import StreamInfo

from chassis import outbox
from chassis.database import Connection
from chassis.held import PAGE, Held
from chassis.outbox import Stored

EVERY_SECONDS = 3600.0


class GapSearch:
    """Looks through a whole stream now and then, a page at a time, so that whoever publishes never waits for long."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._reached: int | None = None
        self._next_at = 0.0

    @property
    def due(self) -> bool:
        """Whether a page is to be looked at."""
        return self._reached is not None or monotonic() >= self._next_at

    def begin_again(self) -> None:
        """Look through all of it as soon as can be."""
        self._reached, self._next_at = None, 0.0

    async def look(self, db: Connection) -> int:
        """Look at the next page, have what it has lost published again, and return how many events that are."""
        info = await self._held.info()
        after = max(0, info.state.first_seq - 1) if self._reached is None else self._reached
        page = await self._page(after, info.state.last_seq)
        is_last = len(page) < PAGE
        until = info.state.last_seq if is_last else page[-1].sequence
        there = [stored.message_id for stored in page]
        published = self._held.kept_since(info), _forgotten_since(info)
        lost = await outbox.miss(db, there, after=after, until=until, published=published)
        self._reached = None if is_last else until
        self._next_at = monotonic() + EVERY_SECONDS
        return lost

    async def _page(self, after: int, end: int) -> list[Stored]:
        page: list[Stored] = []
        async with aclosing(self._held.after(after, until=end)) as messages:
            async for stored in messages:
                page.append(stored)
                if len(page) == PAGE:
                    break
        return page


def _forgotten_since(info: StreamInfo) -> datetime:
    """Until its dedupe window is over, by its own clock, the stream takes no event again."""
    window = info.config.duplicate_window or 0
    return datetime.now(UTC) - timedelta(seconds=2 * window)
