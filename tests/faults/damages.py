"""What is done to a town's databases such that one check of its books must fail, and what undoes it."""

from functools import partial
from typing import NamedTuple

from tests.faults import books
from tests.faults.books import Check, Question
from tests.faults.clocks import nothing_is_recorded_earlier
from tests.faults.restores import phantoms_are


class Damage(NamedTuple):
    """One of them: `told` is in what is said of the check."""

    name: str
    service: str
    done: str
    undone: str
    question: Question
    check: Check
    told: str = ""


DAMAGES = (
    Damage(
        "an event is marked as published and never was",
        "flexjob_pool",
        """INSERT INTO outbox (source, event_id, type, subject, message_id, body, body_hash,
                               appended_at, stream_sequence, published_at)
           SELECT source, 'lost', type, subject, 'lost', 'lost', body_hash, appended_at, 1000000, published_at
           FROM outbox WHERE type LIKE '%.flexjob.started.%' LIMIT 1""",
        "DELETE FROM outbox WHERE event_id = 'lost'",
        books.outboxes_are_streams,
        Check.STREAM,
        "1 missing",
    ),
    Damage(
        "an event is parked",
        "flexjob_pool",
        """INSERT INTO outbox (source, event_id, type, subject, message_id, body, body_hash, appended_at, parked_reason)
           SELECT source, 'parked', type, subject, 'parked', body, body_hash, appended_at, 'too large'
           FROM outbox WHERE type LIKE '%.flexjob.started.%' LIMIT 1""",
        "DELETE FROM outbox WHERE event_id = 'parked'",
        books.outboxes_are_streams,
        Check.PARKED,
        "1, expected 0",
    ),
    Damage(
        "a fact is lost",
        "impact",
        "UPDATE ledger SET kind = 'discard' WHERE position = 3",
        "UPDATE ledger SET kind = 'fact' WHERE position = 3",
        books.streams_are_the_ledger,
        Check.LEDGER,
        "1 missing",
    ),
    Damage(
        "a fact is there twice",
        "impact",
        """INSERT INTO ledger SELECT municipality, 1000000, kind, source, 'again', type, time, occurred_on, body,
               body_hash, parked, recorded_at, stream, stream_sequence FROM ledger WHERE position = 3""",
        "DELETE FROM ledger WHERE position = 1000000",
        books.streams_are_the_ledger,
        Check.TWICE,
        "1, expected 0",
    ),
    Damage(
        "a position is missing",
        "impact",
        "UPDATE ledger SET position = 1000000 WHERE position = 3",
        "UPDATE ledger SET position = 3 WHERE position = 1000000",
        books.streams_are_the_ledger,
        Check.POSITIONS,
    ),
    Damage(
        "the pool has not heard a message",
        "flexjob_pool",
        "UPDATE inbox SET event_id = event_id || '?' WHERE number = (SELECT min(number) FROM inbox)",
        "UPDATE inbox SET event_id = rtrim(event_id, '?')",
        books.the_pool_has_heard_the_gateway,
        Check.READ,
        "1 missing",
    ),
    Damage(
        "the pool counts what it has not",
        "flexjob_pool",
        "UPDATE inbox_stream SET failed = failed + 1, applied = applied - 1",
        "UPDATE inbox_stream SET failed = failed - 1, applied = applied + 1",
        books.the_pool_has_heard_the_gateway,
        Check.ACCOUNT,
    ),
    Damage(
        "a delivery is counted that never came",
        "impact",
        "UPDATE delivery SET first_copies = first_copies + 1 WHERE stream = 'EVENTS_621_FLEXJOB_POOL'",
        "UPDATE delivery SET first_copies = first_copies - 1 WHERE stream = 'EVENTS_621_FLEXJOB_POOL'",
        books.accounts_close,
        Check.OPEN,
        "deliveries",
    ),
    Damage(
        "a producer has sent more than arrived",
        "impact",
        "UPDATE fact_count SET facts = facts - 1 WHERE source = 'urn:kraftcenter:621:flexjob_pool'",
        "UPDATE fact_count SET facts = facts + 1 WHERE source = 'urn:kraftcenter:621:flexjob_pool'",
        books.accounts_close,
        Check.OPEN,
        "completeness",
    ),
    Damage(
        "an effect is counted twice",
        "impact",
        "UPDATE running_sum SET amount = 2 * amount WHERE measure = 'persons_in_flexjob'",
        "UPDATE running_sum SET amount = amount / 2 WHERE measure = 'persons_in_flexjob'",
        books.sql_agrees,
        Check.DRIFT,
    ),
    Damage(
        "a sum is another than its deltas give",
        "impact",
        "UPDATE running_sum SET amount = 2 * amount WHERE measure = 'persons_in_flexjob'",
        "UPDATE running_sum SET amount = amount / 2 WHERE measure = 'persons_in_flexjob'",
        books.a_rebuild_changes_nothing,
        Check.ROWS,
    ),
    Damage(
        "a delta is another than the ledger gives",
        "impact",
        "UPDATE delta SET amount = amount + 1 WHERE measure = 'persons_in_flexjob'",
        "UPDATE delta SET amount = amount - 1 WHERE measure = 'persons_in_flexjob'",
        books.a_rebuild_changes_nothing,
        Check.ROWS,
    ),
    Damage(
        "a message of payroll is told that was never sent",
        "gateway",
        f"""INSERT INTO outbox (source, event_id, type, subject, message_id, body, body_hash,
                               appended_at, stream_sequence, published_at)
           SELECT source, 'unsent', type, subject, 'unsent', '{{}}', body_hash, appended_at, 1000000, published_at
           FROM outbox WHERE source = '{books.PAYROLL}' LIMIT 1""",  # noqa: S608 - no input
        "DELETE FROM outbox WHERE event_id = 'unsent'",
        books.outboxes_are_what_was_answered,
        Check.PAYROLL,
        "1 too many",
    ),
    Damage(
        "the pool has set aside what no stranger told",
        "flexjob_pool",
        """UPDATE inbox SET outcome = 'failed', reason = 'damage', body = 'damage'
           WHERE number = (SELECT min(number) FROM inbox WHERE outcome = 'applied')""",
        "UPDATE inbox SET outcome = 'applied', reason = NULL, body = NULL WHERE reason = 'damage'",
        books.the_pool_has_heard_the_gateway,
        Check.ASIDE,
        "1 too many",
    ),
    Damage(
        "there is a source that nothing came of, and that nobody speaks of",
        "impact",
        """INSERT INTO fact_count (municipality, source, received_on, facts, heartbeats)
           SELECT municipality, 'nobody', received_on, 0, 0 FROM fact_count LIMIT 1""",
        "DELETE FROM fact_count WHERE source = 'nobody'",
        books.accounts_close,
        Check.COMPLETE,
    ),
    Damage(
        "an entry is recorded later than what comes after it",
        "impact",
        "UPDATE ledger SET recorded_at = recorded_at + interval '1 year' WHERE position = 3",
        "UPDATE ledger SET recorded_at = recorded_at - interval '1 year' WHERE position = 3",
        nothing_is_recorded_earlier,
        Check.BACK,
        "1, expected 0",
    ),
    Damage(
        "a phantom is reported that is none",
        "flexjob_pool",
        """INSERT INTO outbox_phantom (stream_sequence, message_id, subject, stored_at, found_at)
           SELECT 1000000, message_id, subject, appended_at, appended_at FROM outbox LIMIT 1""",
        "DELETE FROM outbox_phantom WHERE stream_sequence = 1000000",
        partial(phantoms_are, set()),
        Check.PHANTOMS,
        "0 missing, 1 too many",
    ),
)
