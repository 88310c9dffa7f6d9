"""What is read: each event has its effect once and in order, and all else on the stream is accounted for."""

import asyncio
from dataclasses import replace

import pytest

from chassis.subscriber import ReadOtherwise
from chassis.tests.subscriber.reader import Reader, len_of
from contracts.payroll import WorkingTimeChanged
from local.waiting import until


async def test_events_have_their_effect_once_and_in_order(reader: Reader) -> None:
    await reader.publish(reader.body("a"), reader.ended("b"), reader.body("a"), reader.body("c"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "b", "c"]
    assert await reader.counts() == {"applied": 3, "duplicate": 1}


async def test_an_event_that_has_its_effect_leaves_no_body(reader: Reader) -> None:
    await reader.publish(reader.body("a"))

    async with reader.running():
        await reader.until_settled()

    row = await reader.pool.fetchrow("SELECT source, event_id, outcome, reason, body FROM inbox")
    assert tuple(row or ()) == ("urn:kraftcenter:621:payroll", "a", "applied", None, None)


async def test_the_same_id_from_another_source_is_another_event(reader: Reader) -> None:
    await reader.publish(reader.body("a"), reader.body("a", source="other"))
    await reader.pool.execute("ALTER TABLE effect DROP CONSTRAINT effect_stream_event_id_key")

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a", "a"]


async def test_the_same_id_with_another_body_is_kept_as_evidence_and_the_first_stands(reader: Reader) -> None:
    other = reader.body("a", rate="0.50")
    await reader.publish(reader.body("a"), other, other, reader.body("a"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["a"]
    assert await reader.counts() == {"applied": 1, "conflict": 1, "duplicate": 2}
    kept = await reader.pool.fetchrow("SELECT stream_sequence, body FROM inbox WHERE outcome = 'conflict'")
    assert tuple(kept or ()) == (2, other)


async def test_what_has_no_valid_envelope_is_kept_as_evidence_and_blocks_nothing(reader: Reader) -> None:
    poison = {
        b"": "not_json",
        b"\xff\x00": "not_json",
        b"[]": "not_an_envelope",
        b"{}": "not_an_envelope",
        b'{"id": "\\u0000"}': "holds_nul",
        reader.body("a").replace(b'"specversion":"1.0"', b'"specversion":"0.3"'): "not_an_envelope",
        reader.body("a")[:-1] + b',"tracestate":1e400}': "not_canonical",
        b"{" + b" " * 65536 + b"}": "too_large",
    }
    # FastStream would answer, decode or drop what such headers ask for.
    headers = {"reply_to": "somewhere", "content-type": "application/json", "correlation_id": "x"}
    await reader.publish(*poison, headers=headers)
    await reader.publish(reader.body("good"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.effects() == ["good"]
    assert await reader.counts() == {"applied": 1, "unreadable": len(poison)}
    kept = await reader.pool.fetch("SELECT body, reason FROM inbox WHERE outcome = 'unreadable' ORDER BY number")
    assert [(row["body"], row["reason"]) for row in kept] == list(poison.items())


async def test_what_is_not_read_is_counted_and_not_recorded(reader: Reader) -> None:
    later = reader.body("v2").replace(b".v1", b".v2")
    await reader.publish(reader.heartbeat("beat"), later, reader.body("a"))

    async with reader.running():
        await reader.until_settled()

    assert await reader.counts() == {"applied": 1, "not_read": 2}
    assert await reader.pool.fetchval("SELECT count(*) FROM inbox") == 1


async def test_a_program_that_reads_more_reads_the_stream_again(reader: Reader) -> None:
    await reader.publish(reader.body("a"), reader.ended("b"), reader.body("c"))
    earlier = replace(reader, reads=(WorkingTimeChanged,))
    async with earlier.running():
        await reader.until_settled()
    assert await reader.effects() == ["a", "c"]

    async with reader.running():
        await until(lambda: len_of(reader.effects(), 3))
        await reader.until_settled()

    assert await reader.effects() == ["a", "c", "b"]
    assert await reader.counts() == {"applied": 3, "duplicate": 2, "not_read": 1}


async def test_beside_a_program_that_reads_otherwise_nobody_goes_on(reader: Reader) -> None:
    await reader.publish(reader.body("a"))
    ended = asyncio.create_task(reader.subscriber().run(reader.pool))
    await reader.until_settled()
    await reader.pool.execute("UPDATE inbox_stream SET types = '{}'")
    await reader.publish(reader.body("b"))
    with pytest.raises(ReadOtherwise):
        await ended

    async with reader.running():
        await reader.until_settled()
    assert await reader.effects() == ["a", "b"]


async def test_two_readers_of_one_stream_count_once_and_keep_the_order(reader: Reader) -> None:
    names = [f"e{number}" for number in range(30)]
    await reader.publish(*map(reader.body, names))

    async with reader.running(), replace(reader, seen=[]).running():
        await reader.until_settled()

    assert await reader.effects() == names
