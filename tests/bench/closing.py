"""How the books of a soak close: all that was sent is in the ledger, every account closes, every figure is proven."""

from collections import Counter
from collections.abc import Mapping
from functools import partial

import asyncpg
import nats.errors
from nats.js import JetStreamContext

from chassis.database import UNAVAILABLE, Pool, create_pool
from contracts.streams import Stream, streams_of
from impact.catalogue import INDICATORS
from impact.ingest import DURABLE
from impact.store.conservation import balance
from impact.store.figures import snapshot
from impact.store.thorough import thorough_balance
from impact.verify.drift import Pair, verify
from impact.verify.watch import HORIZON
from local.instances import MUNICIPALITY
from local.stack import Stack
from local.waiting import until
from tests.bench.gate import MEASURES
from tests.bench.progress import Told
from tests.bench.traffic import Sent

DRAIN_SECONDS = 300
POOL, GATEWAY = "flexjob_pool", Stream(MUNICIPALITY, "gateway")
OUTBOX = "SELECT source, event_id, body_hash FROM outbox WHERE type NOT LIKE $1"
LEDGER = "SELECT source, event_id, body_hash FROM ledger WHERE type NOT LIKE $1"
# As the index has it: to look at every event would be the heaviest of all that goes on.
WAITING = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND parked_reason IS NULL"
HEARTBEAT = "%.service.heartbeat.%"

Rows = Counter[tuple[str, str, bytes]]


async def wrong_at_the_end(stack: Stack, jetstream: JetStreamContext, sent: Sent, told: Told) -> list[str]:
    """What is wrong at the end; that it cannot be told is wrong as well, and takes nothing from what was sampled."""
    try:
        await _until_quiet(stack, jetstream)
        with told.doing("the books are looked at"):
            return await _books(stack, sent)
    except (*UNAVAILABLE, asyncpg.PostgresError, nats.errors.Error) as error:
        return [f"the books cannot be looked at: {error or type(error).__name__}"]


async def lag(jetstream: JetStreamContext, stream: str, durable: str) -> int:
    """How many events of a stream a reader has not acknowledged."""
    info = await jetstream.consumer_info(stream, durable)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def waiting(stack: Stack) -> int:
    """How many events of the pool are not on its stream."""
    db = await asyncpg.connect(stack.database_urls[POOL], server_settings={"application_name": "soak watcher"})
    try:
        return int(await db.fetchval(WAITING))
    finally:
        await db.close()


async def _until_quiet(stack: Stack, jetstream: JetStreamContext) -> None:
    """Return once everything is on the streams and acknowledged by whoever reads them."""
    readers = [(GATEWAY.name, POOL), *((stream.name, DURABLE) for stream in streams_of(MUNICIPALITY))]

    async def quiet() -> bool:
        # A heartbeat may just have been put there.
        if await waiting(stack) > 1:
            return False
        for stream, durable in readers:
            last = (await jetstream.stream_info(stream)).state.last_seq
            floor = (await jetstream.consumer_info(stream, durable)).ack_floor
            if not floor or floor.stream_seq < last - 1:
                return False
        return True

    await until(quiet, seconds=DRAIN_SECONDS, message="what was sent is not counted")


async def _books(stack: Stack, sent: Sent) -> list[str]:
    """What is not as it must be: everything sent is in the ledger, every account closes, every figure is proven."""
    told = {each: await _rows(stack, each, OUTBOX) for each in (POOL, GATEWAY.producer)}
    ledger = await _rows(stack, "impact", LEDGER)
    found = wrong_in(told, ledger, sent)
    async with await create_pool(stack.database_urls["impact"], name="soak books") as pool:
        await until(partial(_complete, pool), seconds=60, message="the heartbeats tell of more than arrived")
        async with snapshot(pool) as db:
            accounts = (await thorough_balance(db, MUNICIPALITY, MEASURES)).open_accounts
            found += [f"account {each.name} {each.of} does not close" for each in accounts]
        async with snapshot(pool, readonly=False) as db:
            verification = await verify(db, MUNICIPALITY, INDICATORS, [Pair(HORIZON)])
            found += [f"{len(verification.drift)} of {verification.cells} cells drift"] if verification.drift else []
    return found


def wrong_in(told: Mapping[str, Rows], ledger: Rows, sent: Sent) -> list[str]:
    """The ledger is both outboxes, all that was sent is there, and each message had its effect; else what is not so."""
    found, all_told = [], told[POOL] + told[GATEWAY.producer]
    if odd := (all_told - ledger) + (ledger - all_told):
        found.append(f"outboxes and ledger differ in {odd.total()} events")
    # The pool tells of other hours after each message; of what is under way when the traffic ends nobody is sure.
    least = sent.events + sent.commands + sent.messages
    if told[POOL].total() < least:
        found.append(f"the pool's outbox has {told[POOL].total()} events, and there should be {least}")
    if told[GATEWAY.producer].total() < sent.messages:
        found.append(f"the gateway's outbox has {told[GATEWAY.producer].total()} of {sent.messages} messages")
    return found


async def _complete(pool: Pool) -> bool:
    async with snapshot(pool) as db:
        return bool((await balance(db, MUNICIPALITY)).complete)


async def _rows(stack: Stack, service: str, query: str) -> Rows:
    db = await asyncpg.connect(stack.database_urls[service])
    try:
        return Counter((row[0], row[1], row[2]) for row in await db.fetch(query, HEARTBEAT))
    finally:
        await db.close()
