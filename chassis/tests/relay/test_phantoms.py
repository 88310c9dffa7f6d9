"""Events on the stream that the outbox does not know are named, once and for good, and neither removed nor adopted."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from chassis import phantoms
from chassis.heartbeat import beat_once
from chassis.outbox import Stored
from chassis.relay import Relay
from chassis.tests.relay.producer import MUNICIPALITY, Producer, relaying
from contracts.platform import EventRetracted
from local.waiting import until


async def restored(producer: Producer, *, without: int) -> list[str]:
    """Publish five events and a heartbeat, then have the outbox be that of a backup: without the last ones."""
    async with relaying(producer.relay()):
        ids = await producer.append(5 - without)
        await producer.drained()
        kept = await producer.pool.fetchval("SELECT coalesce(max(position), 0) FROM outbox")
        ids += await producer.append(without)
        await beat_once(producer.pool, municipality=MUNICIPALITY, producer="flexjob_pool")
        await producer.drained()
    await producer.pool.execute("DELETE FROM outbox WHERE position > $1", kept)
    return ids[5 - without :]


async def known(producer: Producer) -> list[str]:
    return [phantom.message_id for phantom in await known_phantoms(producer)]


@pytest.mark.parametrize("without", [1, 3, 5])
async def test_what_a_restored_outbox_forgot_is_reported_by_id(producer: Producer, without: int) -> None:
    forgotten = await restored(producer, without=without)

    with capture_logs() as logs:
        async with relaying(producer.relay()):
            await until(lambda: known(producer))

    assert await known(producer) == forgotten
    assert [log["first"] for log in logs if log["event"] == "phantoms_found"] == [forgotten]


async def test_a_phantom_stays_known_when_the_outbox_goes_on(producer: Producer) -> None:
    forgotten = await restored(producer, without=2)
    async with relaying(producer.relay()):
        await producer.append(4)
        await producer.drained()

    with capture_logs() as logs:
        async with relaying(producer.relay()) as again:
            await until(lambda: again.trouble is None and again.active)
            await producer.append(1)
            await producer.drained()
            metrics = await again.measure(producer.pool)

    assert await known(producer) == forgotten
    assert [metric.samples[0].value for metric in metrics if metric.name == "outbox_phantoms"] == [2]
    assert not [log for log in logs if log["event"] == "phantoms_found"], "it was told already"


async def test_a_phantom_is_told_of_with_when_it_was_first_found(producer: Producer) -> None:
    await restored(producer, without=1)
    async with relaying(producer.relay()):
        await until(lambda: known(producer))
    first = await producer.pool.fetch("SELECT * FROM outbox_phantom")

    async with relaying(producer.relay()) as again:
        await until(lambda: again.trouble is None and again.active)

    assert await producer.pool.fetch("SELECT * FROM outbox_phantom") == first


async def test_what_only_the_mark_was_missing_of_is_no_phantom(producer: Producer) -> None:
    await producer.append(3)
    await producer.publish_without_mark()

    async with relaying(producer.relay()):
        await producer.drained()

    assert await known(producer) == []


async def test_a_phantom_that_the_stream_lost_too_stays_known_whatever_takes_its_place(producer: Producer) -> None:
    """Whoever had received it counts it still."""
    async with relaying(producer.relay()):
        await producer.append(2)
        await producer.drained()
        copy = await asyncio.to_thread(producer.copy_store)
    lost = await restored(producer, without=3)
    async with relaying(producer.relay()):
        await until(lambda: known(producer))
    assert await known(producer) == lost
    await asyncio.to_thread(producer.put_back, copy)

    forgotten = await restored(producer, without=3)

    async with relaying(producer.relay()) as relay:
        await until(lambda: known_phantoms_are(producer, 6))
        assert await waiting(producer, relay) == 6
    sequences = [(each.message_id, each.stream_sequence) for each in await known_phantoms(producer)]
    assert {*sequences} == {*zip(lost, (5, 6, 7), strict=True), *zip(forgotten, (7, 8, 9), strict=True)}
    async with producer.pool.acquire() as db:
        assert sum((await phantoms.published_counts(db)).values()) == 6


async def test_of_what_no_relay_has_stored_nothing_is_known_that_the_stream_lost(producer: Producer) -> None:
    at, subject = datetime(2026, 3, 5, tzinfo=UTC), producer.stream.subjects.replace(">", "note.left.v1")
    told = [Stored(number, at, name, subject) for number, name in enumerate(("", "a stranger", "another"), 1)]
    async with producer.pool.acquire() as db:
        assert len(await phantoms.note(db, told, after=0, now=at)) == 3

        assert await phantoms.note(db, told[1:2], after=1, now=at) == []

        assert [each.message_id for each in await phantoms.all_of(db)] == ["", "a stranger"]


async def test_a_stranger_on_the_stream_is_noticed_with_the_next_publication(producer: Producer) -> None:
    subject = producer.stream.subjects.replace(">", "note.left.v1")
    async with relaying(producer.relay()):
        await producer.append(2)
        await producer.drained()

        await producer.bus.jetstream.publish(subject, b"told by nobody here", headers={"Nats-Msg-Id": "a stranger"})
        await producer.append(1)

        await until(lambda: known(producer))
        await producer.drained()
    assert await known(producer) == ["a stranger"]


async def test_a_phantom_that_is_retracted_is_taken_back_by_its_own_source_and_waits_no_more(
    producer: Producer,
) -> None:
    first, second = await restored(producer, without=2)
    async with relaying(producer.relay()) as relay:
        await until(lambda: known(producer))

        assert await decide(producer, "retract", first) == 1
        await producer.drained()

        assert await waiting(producer, relay) == 1
    found = await known_phantoms(producer)
    assert [(each.message_id, bool(each.retraction_id), each.reason_code) for each in found] == [
        (first, True, "double_entry"),
        (second, False, None),
    ]
    said = json.loads(
        await producer.pool.fetchval("SELECT body FROM outbox WHERE event_id = $1", found[0].retraction_id)
    )
    assert said["type"] == EventRetracted.contract.type
    assert said["data"] == {"event_id": found[0].id, "reason_code": "double_entry"}
    assert (said["source"], said["causationid"], said["time"]) == (found[0].source, found[0].id, "2026-03-05T09:00:00Z")
    assert (await producer.stored())[-1].startswith(f"{found[0].source}#{found[0].retraction_id}#")


async def test_what_was_decided_outlives_what_the_relay_finds_anew(producer: Producer) -> None:
    first, second, _ = await restored(producer, without=3)
    async with relaying(producer.relay()):
        await until(lambda: known(producer))
    await decide(producer, "retract", first)
    await decide(producer, "keep", second)

    async with relaying(producer.relay()) as again:
        await producer.drained()
        await producer.append(1)
        await producer.drained()

        assert await waiting(producer, again) == 1


async def test_a_phantom_that_its_source_tells_again_is_none_to_decide_on(producer: Producer) -> None:
    events = producer.sealed(2)
    async with relaying(producer.relay()):
        await producer.append_events(events)
        await producer.drained()
    await producer.pool.execute("DELETE FROM outbox")
    await producer.have_ids_forgotten()
    async with relaying(producer.relay()) as relay:
        await until(lambda: known(producer))
        await producer.append(1)
        await producer.drained()

        await producer.append_events(events[:1])
        await producer.drained()

        assert await waiting(producer, relay) == 1
    for decision in ("retract", "keep"):
        with pytest.raises(phantoms.Undecided, match="is known again under the same id"):
            await decide(producer, decision, events[0].message_id)


async def test_a_phantom_that_its_source_tells_again_otherwise_is_none_to_decide_on_either(producer: Producer) -> None:
    """A retraction would take back both, and what was told again happened."""
    [forgotten] = await restored(producer, without=1)
    source, id_, _ = forgotten.split("#")
    async with relaying(producer.relay()) as relay:
        await until(lambda: known(producer))
        event = next(iter(producer.sealed(1)))
        await producer.append_events([replace(event, source=source, id=id_)])
        await producer.drained()

        assert await waiting(producer, relay) == 0
    with pytest.raises(phantoms.Undecided, match="is known again under the same id"):
        await decide(producer, "retract", forgotten)


async def test_of_two_who_retract_a_phantom_at_once_one_does(producer: Producer) -> None:
    [forgotten] = await restored(producer, without=1)
    async with relaying(producer.relay()):
        await until(lambda: known(producer))

    both = await asyncio.gather(*(decide(producer, "retract", forgotten) for _ in range(2)), return_exceptions=True)

    assert 1 in both
    assert [type(each) for each in both if each != 1] == [phantoms.Undecided]
    assert len(await retractions(producer)) == 1


async def test_a_retraction_that_was_forgotten_is_kept_and_not_retracted(producer: Producer) -> None:
    [forgotten] = await restored(producer, without=1)
    async with relaying(producer.relay()):
        await until(lambda: known(producer))
        await decide(producer, "retract", forgotten)
        await producer.drained()
    await producer.pool.execute("DELETE FROM outbox WHERE type = $1", EventRetracted.contract.type)
    await producer.pool.execute("DELETE FROM outbox_phantom_decision")

    async with relaying(producer.relay()) as relay:
        await until(lambda: known_phantoms_are(producer, 2))
        retraction = (await known(producer))[-1]
        with pytest.raises(phantoms.Undecided, match="is a retraction, and those are not retracted"):
            await decide(producer, "retract", forgotten, retraction)
        assert await retractions(producer) == [], "all or none"
        await decide(producer, "keep", retraction)
        await decide(producer, "retract", forgotten)
        await producer.drained()

        assert await waiting(producer, relay) == 0


async def test_what_was_kept_may_be_retracted_and_nothing_is_decided_twice_else(producer: Producer) -> None:
    [forgotten] = await restored(producer, without=1)
    async with relaying(producer.relay()):
        await until(lambda: known(producer))

    await decide(producer, "keep", forgotten)
    with pytest.raises(phantoms.Undecided, match="was kept on 2026-03-06"):
        await decide(producer, "keep", forgotten)
    await decide(producer, "retract", forgotten)
    for decision in ("retract", "keep"):
        with pytest.raises(phantoms.Undecided, match="was retracted on 2026-03-06"):
            await decide(producer, decision, forgotten)


async def test_what_no_relay_has_stored_cannot_be_retracted(producer: Producer) -> None:
    at, subject = datetime(2026, 3, 5, tzinfo=UTC), producer.stream.subjects.replace(">", "note.left.v1")
    told = [Stored(number, at, message_id, subject) for number, message_id in enumerate(("", "a stranger", "a#b#c"), 1)]
    async with producer.pool.acquire() as db:
        await phantoms.note(db, told, after=0, now=at)

        with pytest.raises(phantoms.Undecided, match="no relay of ours has stored it"):
            await phantoms.retract(db, ["b"], "double_entry", source=None, time=at, now=at)
        with pytest.raises(phantoms.Undecided, match="No phantom has id 1 of those given"):
            await phantoms.retract(db, [""], "double_entry", source=None, time=at, now=at)


async def decide(producer: Producer, decision: str, *message_ids: str) -> int:
    """Retract or keep phantoms, on 5 March by the calendar and on the 6th in real time."""
    ids, now = [message_id.split("#")[1] for message_id in message_ids], datetime(2026, 3, 6, 9, tzinfo=UTC)
    async with producer.pool.acquire() as db:
        if decision == "keep":
            return await phantoms.keep(db, ids, source=None, now=now)
        return await phantoms.retract(db, ids, "double_entry", source=None, time=now - timedelta(days=1), now=now)


async def waiting(producer: Producer, relay: Relay) -> float:
    metrics = await relay.measure(producer.pool)
    [phantoms_metric] = [metric for metric in metrics if metric.name == "outbox_phantoms"]
    value: float = phantoms_metric.samples[0].value
    return value


async def retractions(producer: Producer) -> list[str]:
    query = "SELECT event_id FROM outbox WHERE type = $1"
    return [row["event_id"] for row in await producer.pool.fetch(query, EventRetracted.contract.type)]


async def known_phantoms_are(producer: Producer, number: int) -> bool:
    return len(await known(producer)) == number


async def known_phantoms(producer: Producer) -> list[phantoms.Phantom]:
    async with producer.pool.acquire() as db:
        return await phantoms.all_of(db)
