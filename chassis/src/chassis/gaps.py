"""Gaps: what a stream has lost from its midst, as from a damaged block, which no publication would ever notice."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from time import monotonic

from chassis import outbox
from chassis.database import Connection
from chassis.held import PAGE, Held
from chassis.outbox import Stored

EVERY_SECONDS = 86_400.0


class GapSearch:
    """Looks through a whole stream a page at a time, so that whoever publishes never waits for long.

    It does so when it begins and after a loss, once more when the dedupe window of what was young is over, and daily.
    """

    def __init__(self, held: Held) -> None:
        self._held = held
        self._reached: int | None = None
        self._next_at = 0.0
        self._once_more = True

    @property
    def due(self) -> bool:
        """Whether a page is to be looked at."""
        return self._reached is not None or monotonic() >= self._next_at

    def begin_again(self) -> None:
        """Look through all of it as soon as can be."""
        self._reached, self._next_at, self._once_more = None, 0.0, True

    async def look(self, db: Connection) -> int:
        """Look at the next page, have what it has lost published again, and return how many events that are."""
        info = await self._held.info()
        window = timedelta(seconds=2 * (info.config.duplicate_window or 0))
        after = max(0, info.state.first_seq - 1) if self._reached is None else self._reached
        page = await self._page(after)
        until = page[-1].sequence if len(page) == PAGE else info.state.last_seq
        there = [stored.message_id for stored in page]
        published = self._held.kept_since(info), datetime.now(UTC) - window
        lost = await outbox.miss(db, there, after=after, until=until, published=published)
        self._go_on(until if len(page) == PAGE else None, window)
        return lost

    def _go_on(self, reached: int | None, window: timedelta) -> None:
        """Until its dedupe window is over, by its own clock, the stream takes no event again: that is waited for."""
        self._reached = reached
        if reached is None:
            self._next_at = monotonic() + (window.total_seconds() if self._once_more else EVERY_SECONDS)
            self._once_more = False

    async def _page(self, after: int) -> list[Stored]:
        page: list[Stored] = []
        async with aclosing(self._held.after(after)) as messages:
            async for stored in messages:
                page.append(stored)
                if len(page) == PAGE:
                    break
        return page
