"""Requests that no door takes, whatever is wrong with them: each is told why, and nothing of it is left."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import tokens
from chassis.database import Pool
from flexjob_pool.doors.nouns import NOUNS
from services.flexjob_pool.tests.caseworker import (
    CPR,
    DOORS,
    FLEXJOB,
    GROUPS,
    HOURS,
    RULES,
    Caseworker,
    check_refused,
    stored,
)


def wrong_values(good: object) -> Iterator[object]:
    """Values that no field takes in the place of a good one."""
    yield from ({}, {"a": 1}, [[]], "", "\x00", "x" * 70_000, "DROP TABLE rules", "2026-02-30", 1e300, -1, 10**30)
    yield CPR
    yield None if not isinstance(good, bool) else "true"
    if isinstance(good, str):
        yield from (f" {good}", f"{good}\n", good + "é́" * 40, 8.5, True)
    if isinstance(good, int):
        yield from (str(good), 0.5, "NaN")


# What may be left out, or is taken with no value.
OPTIONAL = {"max_weekly_effective_hours", "max_months", "hours"}


@pytest.mark.parametrize("group", GROUPS)
async def test_a_wrong_body_is_refused_and_leaves_nothing(caseworker: Caseworker, pool: Pool, group: list[str]) -> None:
    for door in group:
        await caseworker.prepare()
        path, good = caseworker.at(door)
        before = await stored(pool)

        for body in (None, [], [good], "text", 7, True, {"data": good}, {**good, "unknown": 1}, {**good, CPR: CPR}):
            await check_refused(await caseworker.post(path, body))
        for field, value in good.items():
            if field not in OPTIONAL:
                await check_refused(await caseworker.post(path, {k: v for k, v in good.items() if k != field}))
            for wrong in wrong_values(value):
                if not (wrong is None and field in OPTIONAL):
                    await check_refused(await caseworker.post(path, {**good, field: wrong}))
        for day in ("1989-12-31", "2028-03-03", "9999-12-31", "0001-01-01"):
            await check_refused(await caseworker.post(path, {**good, "occurred_on": day}))

        assert await stored(pool) == before
        assert (await caseworker.post(path, good)).status_code == 201


@pytest.mark.parametrize("group", GROUPS)
async def test_a_wrong_request_is_refused_and_leaves_nothing(
    caseworker: Caseworker, pool: Pool, group: list[str]
) -> None:
    for door in group:
        await caseworker.prepare()
        path, good = caseworker.at(door)
        weak, foreign = await other_tokens(pool)
        before = await stored(pool)
        key = {"Idempotency-Key": "key"}
        as_json = {"Content-Type": "application/json", **key}
        body = json.dumps(good).encode()

        for content, headers, status in (
            (body, {"Content-Type": "application/json"}, 400),
            (body, {**as_json, "Idempotency-Key": "x" * 129}, 400),
            (body, {**as_json, "Idempotency-Key": "tab\tbed"}, 400),
            (body, {**as_json, "Authorization": ""}, 401),
            (body, {**as_json, "Authorization": "Bearer kc_unknown"}, 401),
            (body, {**as_json, "Authorization": f"Bearer {weak}"}, 403),
            (body, {**as_json, "Authorization": f"Bearer {foreign}"}, 403),
            (body, {**key, "Content-Type": "text/plain"}, 415),
            (body[:-1], as_json, 400),
            (b"", as_json, 422),
            (b"\xff\xfe", as_json, 400),
            (b'{"occurred_on": NaN}', as_json, 400),
            (b"[" * 100_000, as_json, 400),
            (b" " * 1024 * 1024 + body, as_json, 413),
        ):
            answer = await caseworker.doors.post(path, content=content, headers=headers)
            await check_refused(answer)
            assert answer.status_code == status, answer.text
        for method in ("PUT", "DELETE", "PATCH"):
            assert (await caseworker.doors.request(method, path, content=body, headers=as_json)).status_code == 405

        assert await stored(pool) == before


async def other_tokens(pool: Pool) -> tuple[str, str]:
    """One that may only read, and one of another municipality."""
    async with pool.acquire() as db:
        now = await db.fetchval("SELECT issued_at FROM token")
        weak = await tokens.issue(db, name="weak", municipality="621", scopes=["read:flexjob_pool"], now=now)
        scopes = ["read:flexjob_pool", "write:flexjob_pool"]
        return weak, await tokens.issue(db, name="foreign", municipality="607", scopes=scopes, now=now)


@pytest.mark.parametrize("group", GROUPS)
async def test_a_wrong_id_in_the_path_is_refused(caseworker: Caseworker, pool: Pool, group: list[str]) -> None:
    for door in group:
        await caseworker.prepare()
        _, good = caseworker.at(door)
        path, _ = DOORS[door]
        if "{" not in path:
            continue
        before = await stored(pool)

        for wrong in (str(uuid4()), str(uuid4()).upper(), "1", "x" * 5000, "%00", "..%2f..", "é", CPR):
            known = dict.fromkeys(caseworker.known, wrong)
            await check_refused(await caseworker.post(path.format_map(known), good))

        assert await stored(pool) == before


@pytest.mark.parametrize(
    "noun", [noun.path for noun in NOUNS if noun.path != "/v1/workforce-snapshots"] + ["/v1/events"]
)
async def test_what_is_not_registered_is_not_found(caseworker: Caseworker, noun: str) -> None:
    missing = "7" if noun == "/v1/rules" else str(uuid4())

    assert (await caseworker.doors.get(f"{noun}/{missing}")).status_code == 404
    for wrong in ("0", "-1", "99999999999999999999", "x", "%00", CPR):
        await check_refused(await caseworker.doors.get(f"{noun}/{wrong}"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(door=st.sampled_from(sorted(DOORS)), fields=st.sets(st.sampled_from(sorted(FLEXJOB | HOURS | RULES))), junk=JSON)
async def test_no_body_at_all_ends_in_an_error_of_ours(
    caseworker: Caseworker, pool: Pool, door: str, fields: set[str], junk: object
) -> None:
    if not caseworker.known:
        await caseworker.prepare()
    path, good = caseworker.at(door)
    before = await stored(pool)

    answer = await caseworker.post(path, {**good, "not_a_field": junk, **dict.fromkeys(fields, junk)})

    await check_refused(answer)
    assert await stored(pool) == before
