"""A producer's heartbeat: it tells what has been published, through the outbox, so that it can never overtake it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from chassis import outbox, phantoms
from chassis.database import UNAVAILABLE, Pool
from chassis.wire import seal
from contracts.envelope import source_of
from contracts.platform import Published, ServiceHeartbeat

KEPT = timedelta(hours=1)

log = structlog.get_logger()


async def beat(pool: Pool, *, municipality: str, producer: str, every: float) -> None:
    """Beat until cancelled, `every` so many seconds of real time, whatever the service's calendar says."""
    while True:
        try:
            await beat_once(pool, municipality=municipality, producer=producer)
        except UNAVAILABLE as error:
            log.warning("heartbeat_missed", error=type(error).__name__)
        await asyncio.sleep(every)


async def beat_once(pool: Pool, *, municipality: str, producer: str) -> None:
    """Put one heartbeat into the outbox and forget the published ones of more than an hour ago.

    Its own source is told of also before its first event: else nobody would hear of a producer that has sent nothing.
    Phantoms count, since they were received: else as many lost events would be made up for by them.
    """
    now = datetime.now(UTC)
    async with pool.acquire() as db, db.transaction():
        counts = {source_of(municipality, producer): 0} | await outbox.published_counts(db)
        forgotten = await phantoms.published_counts(db)
        published = tuple(
            Published(source=source, events=counts.get(source, 0) + forgotten.get(source, 0))
            for source in counts | forgotten
        )
        event = ServiceHeartbeat(producer=producer, published=published)
        beat = seal(event, municipality=municipality, producer=producer, id=str(uuid4()), time=now)
        await outbox.append(db, [beat], now=now)
        await outbox.forget_heartbeats(db, before=now - KEPT)
