"""The books of a town, which must be right after whatever befell it: one oracle for every fault."""

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from enum import StrEnum
from time import monotonic

import asyncpg

from chassis import inbox
from chassis.database import create_pool
from chassis.wire import Unreadable, read
from contracts.development import ReviewDue
from contracts.envelope import source_of
from contracts.streams import Stream
from flexjob_pool.payroll import READS
from impact.catalogue import INDICATORS, measures_of
from impact.conservation import HEARD
from impact.rebuild import compare
from impact.store.conservation import balance
from impact.store.figures import snapshot
from impact.store.thorough import thorough_balance
from impact.verify.drift import Pair, verify
from impact.verify.watch import HORIZON
from local import comparison
from local.actions.payroll import SOURCE, Message
from local.expected.figures import expected_figures
from tests.faults.town import HEARTBEAT, MUNICIPALITY, PRODUCERS, Town

MEASURES = measures_of(INDICATORS)
PAYROLL = source_of(MUNICIPALITY, SOURCE)
REVIEW_DUE = ReviewDue.contract.type
READ_BY_THE_POOL = {model.contract.type for model in READS}
OUTBOX = """
SELECT source, event_id, type, convert_from(body, 'UTF8')::jsonb ->> 'causationid' AS cause
FROM outbox WHERE type NOT LIKE $1
"""
SETTLE_SECONDS = 60.0
PAUSE_SECONDS = 0.2
SHOWN = 5


class Check(StrEnum):
    """What must hold, by what is said when it does not; each is made not to hold once, in test_books.py."""

    TOLD = "events that callers were told of"
    UNASKED = "events that nobody asked for"
    PAYROLL = "messages of payroll"
    WAITING = "waiting in the outbox"
    PARKED = "parked in the outbox"
    STREAM = "outbox and stream"
    STRANGERS = "what strangers told, on the streams"
    READ = "events that the pool reads"
    ASIDE = "what the pool has set aside"
    ACCOUNT = "the pool's own account"
    FLOOR = "how far the pool has read"
    TWICE = "facts that are there twice"
    LEDGER = "streams and ledger"
    FIRST = "the first body under each id"
    EVIDENCE = "streams and evidence"
    POSITIONS = "positions"
    OPEN = "open accounts"
    COMPLETE = "complete"
    DRIFT = "drift"
    ROWS = "rows that differ"
    FIGURES = "figures that differ"
    # These are asked within an act alone.
    RELAYS = "processes that publish"
    PHANTOMS = "phantoms"
    BACK = "entries recorded earlier than what was before them"


class Wrong(AssertionError):
    """The books do not say what they must; the text says which and how."""


async def check(town: Town, *, seconds: float = SETTLE_SECONDS) -> None:
    """Return once every question is answered as it must be. Raises Wrong when one is not, so many seconds after it."""
    await town.hall.office.pipeline.counted()
    for question in QUESTIONS:
        await answered(question, town, seconds=seconds)


async def answered(question: "Question", town: Town, *, seconds: float = SETTLE_SECONDS) -> None:
    """Return once a question is answered as it must be: what is under way meanwhile arrives. Raises Wrong else."""
    deadline = monotonic() + seconds
    while True:
        try:
            return await question(town)
        except Wrong:
            if monotonic() > deadline:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


async def outboxes_are_what_was_answered(town: Town) -> None:
    """Every event that a caller was told of is in an outbox, and no other but what a producer tells by itself."""
    events = town.hall.office.events
    answered = {name for names in events.values() for name in names}
    sent = {str(action.message_id) for action in events if isinstance(action, Message)}
    kept = {row["event_id"]: row for row in await _rows(town, "flexjob_pool", OUTBOX)}
    asked = {name for name, row in kept.items() if row["type"] != REVIEW_DUE and row["cause"] is None}
    named(Check.TOLD, answered, answered & {*kept})
    named(Check.UNASKED, asked & answered, asked)
    told = {row["event_id"] for row in await _rows(town, "gateway", OUTBOX) if row["source"] == PAYROLL}
    named(Check.PAYROLL, sent, told)


async def the_pool_has_heard_the_gateway(town: Town) -> None:
    """What is on the gateway's stream has had its effect in the pool once; set aside is only what strangers told."""
    gateway = next(stream for stream in town.streams if stream.producer == "gateway")
    rows = await _rows(town, "flexjob_pool", "SELECT * FROM inbox WHERE coalesce(type, '') NOT LIKE $1")
    heard = {row["event_id"] for row in rows if row["outcome"] in ("applied", "failed")}
    named(Check.READ, await _read_by_the_pool(town, gateway), heard)
    aside = {row["body"] for row in rows if row["outcome"] == "failed"}
    alike(Check.ASIDE, aside & {*town.strangers}, aside)
    async with await create_pool(town.stack.database_urls["flexjob_pool"], name="books") as pool, pool.acquire() as db:
        same(Check.ACCOUNT, [], await inbox.differences(db))
        progress = await inbox.progress(db, gateway.name)
    end = (await town.bus.jetstream().stream_info(gateway.name)).state.last_seq
    same(Check.FLOOR, end, progress.floor.sequence if progress else None)


async def _read_by_the_pool(town: Town, stream: Stream) -> set[str]:
    """The ids of what the pool reads on a stream."""
    found = set[str]()
    for body in await _bodies_on(town, stream):
        with suppress(Unreadable):
            envelope = read(body).envelope
            found |= {envelope.id} if envelope.type in READ_BY_THE_POOL else set()
    return found


async def outboxes_are_streams(town: Town) -> None:
    """Each stream holds what its producer's outbox does, and what strangers put there; nothing waits or is parked."""
    strangers = {*town.strangers}
    told = set[bytes]()
    for stream in town.streams:
        rows = await _rows(
            town, stream.producer, "SELECT body, published_at, parked_reason FROM outbox WHERE type NOT LIKE $1"
        )
        parked = sum(row["parked_reason"] is not None for row in rows)
        waiting = sum(row["published_at"] is None for row in rows) - parked
        same(Check.WAITING, 0, waiting, of=stream.producer)
        same(Check.PARKED, 0, parked, of=stream.producer)
        outbox, held = {row["body"] for row in rows}, await _bodies_on(town, stream)
        alike(Check.STREAM, outbox, held - strangers, of=stream.producer)
        told |= held
    alike(Check.STRANGERS, strangers, strangers & told)


async def streams_are_the_ledger(town: Town) -> None:
    """Every body on a stream is one fact or evidence, and nothing else is; positions have no gap.

    Of several under one id it is the producer's own that is the fact: nobody else's ever comes before it.
    """
    facts = await _rows(town, "impact", "SELECT * FROM ledger WHERE type NOT LIKE $1 AND kind = 'fact'")
    evidence = await _rows(town, "impact", "SELECT kind, body_hash, raw FROM evidence WHERE kind NOT LIKE $1")
    readable, unreadable = set[bytes](), set[bytes]()
    for stream in town.streams:
        for body in await _bodies_on(town, stream):
            try:
                readable.add(read(body).body_hash)
            except Unreadable:
                unreadable.add(body)
    counted, conflicting = (
        [fact["body_hash"] for fact in facts],
        {e["body_hash"] for e in evidence if e["kind"] == "conflict"},
    )
    same(Check.TWICE, 0, len(counted) - len({*counted}))
    alike(Check.LEDGER, readable, {*counted} | conflicting)
    own = await _hashes_of_what_was_told(town)
    alike(Check.FIRST, own, (own & {*counted}) - conflicting)
    alike(Check.EVIDENCE, unreadable, {each["raw"] for each in evidence if each["kind"] == "unreadable"})
    positions = await _rows(town, "impact", "SELECT position FROM ledger WHERE kind NOT LIKE $1 ORDER BY position")
    same(Check.POSITIONS, [*range(1, len(positions) + 1)], [row["position"] for row in positions])


async def _hashes_of_what_was_told(town: Town) -> set[bytes]:
    query = "SELECT body_hash FROM outbox WHERE type NOT LIKE $1"
    return {row["body_hash"] for producer in PRODUCERS for row in await _rows(town, producer, query)}


async def accounts_close(town: Town) -> None:
    """Conservation and completeness: what was delivered and what was published is in exactly one count each.

    Of a source that only strangers have told of, no producer says how much there should be, and impact says so.
    """
    unheard = await _told_by_strangers_alone(town)
    async with await create_pool(town.stack.database_urls["impact"], name="books") as pool, snapshot(pool) as seen:
        found = (await thorough_balance(seen, MUNICIPALITY, MEASURES)).open_accounts
        same(Check.OPEN, [(HEARD, source) for source in unheard], [(each.name, each.of) for each in found])
        same(Check.COMPLETE, None if unheard else True, (await balance(seen, MUNICIPALITY)).complete)


async def sql_agrees(town: Town) -> None:
    """The second implementation finds the same figures."""
    async with (
        await create_pool(town.stack.database_urls["impact"], name="books") as pool,
        snapshot(pool, readonly=False) as seen,
    ):
        same(Check.DRIFT, (), (await verify(seen, MUNICIPALITY, INDICATORS, [Pair(HORIZON)])).drift)


async def a_rebuild_changes_nothing(town: Town) -> None:
    """Told again from the ledger, every row is what it is."""
    async with await create_pool(town.stack.database_urls["impact"], name="books") as pool:
        same(Check.ROWS, [], (await compare(pool, MUNICIPALITY, MEASURES)).differing)


async def figures_are_the_simulators(town: Town) -> None:
    """Every figure and cell is what a slow calculation gives for what was registered."""
    day, actions = town.today, town.hall.year.actions
    expected = await asyncio.to_thread(expected_figures, actions, municipality=MUNICIPALITY, as_of=day, known_on=day)
    lines = await comparison.compare(town.hall.impact, expected, municipality=MUNICIPALITY, as_of=day, known_on=day)
    same(Check.FIGURES, [], [str(line) for line in lines if not line.agrees][:SHOWN])


async def _told_by_strangers_alone(town: Town) -> list[str]:
    """The sources of strangers' facts that no producer speaks of."""
    told = set[str]()
    for body in town.strangers:
        with suppress(Unreadable):
            told.add(read(body).envelope.source)
    # Of its own source a producer speaks from its first heartbeat on.
    spoken_of = {source_of(MUNICIPALITY, producer) for producer in PRODUCERS}
    for producer in PRODUCERS:
        rows = await _rows(town, producer, "SELECT DISTINCT source FROM outbox WHERE type NOT LIKE $1")
        spoken_of |= {row["source"] for row in rows}
    return sorted(told - spoken_of)


async def _rows(town: Town, service: str, query: str) -> list[asyncpg.Record]:
    db = await asyncpg.connect(town.stack.database_urls[service])
    try:
        return list(await db.fetch(query, f"%{HEARTBEAT}%"))
    finally:
        await db.close()


async def _bodies_on(town: Town, stream: Stream) -> set[bytes]:
    return {message.data for message in await town.held(stream)}


def same(check: Check, expected: object, found: object, *, of: str = "") -> None:
    """Raises Wrong when they are not."""
    if found != expected:
        raise Wrong(f"{check}{of and f' of {of}'}: {found}, expected {expected}")


def named(check: Check, expected: AbstractSet[str], found: AbstractSet[str]) -> None:
    """The same for names."""
    alike(check, {name.encode() for name in expected}, {name.encode() for name in found})


def alike(check: Check, left: AbstractSet[bytes], right: AbstractSet[bytes], *, of: str = "") -> None:
    """Raises Wrong, with how two sets differ: in how many, and the first of them."""
    if left != right:
        less, more = sorted(left - right), sorted(right - left)
        found = f"{len(less)} missing, {len(more)} too many: {[*less[:SHOWN], *more[:SHOWN]]}"
        raise Wrong(f"{check}{of and f' of {of}'}: {found}")


Question = Callable[[Town], Awaitable[None]]
QUESTIONS: tuple[Question, ...] = (
    outboxes_are_what_was_answered,
    outboxes_are_streams,
    the_pool_has_heard_the_gateway,
    streams_are_the_ledger,
    accounts_close,
    sql_agrees,
    a_rebuild_changes_nothing,
    figures_are_the_simulators,
)
