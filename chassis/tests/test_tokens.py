import hashlib
from datetime import UTC, datetime, timedelta

from chassis import tokens
from chassis.database import Pool
from chassis.tokens import Principal

NOW = datetime(2026, 3, 5, 9, tzinfo=UTC)
GIVEN = "kc_given"
SCOPES = ["read:flexjob_pool", "write:flexjob_pool"]


async def issue(pool: Pool, *, expires_at: datetime | None = None, token: str | None = None) -> str:
    async with pool.acquire() as db:
        return await tokens.issue(
            db, name="payroll", municipality="621", scopes=SCOPES, now=NOW, expires_at=expires_at, token=token
        )


async def principal_of(pool: Pool, token: str, now: datetime = NOW) -> Principal | None:
    async with pool.acquire() as db:
        return await tokens.principal_of(db, token, now=now)


async def test_a_token_names_its_holder(door_pool: Pool) -> None:
    token = await issue(door_pool)

    principal = await principal_of(door_pool, token)

    assert principal == Principal("payroll", "621", frozenset(SCOPES))
    assert principal.may("read:flexjob_pool")
    assert not principal.may("admin")


async def test_a_token_is_stored_as_its_hash_alone(door_pool: Pool) -> None:
    token = await issue(door_pool)

    rows = await door_pool.fetch("SELECT * FROM token")

    assert token.startswith("kc_")
    assert len(token) == 46
    assert [row["hash"] for row in rows] == [hashlib.sha256(token.encode()).digest()]
    assert token not in str(rows)


async def test_no_two_tokens_are_alike(door_pool: Pool) -> None:
    assert await issue(door_pool) != await issue(door_pool)


async def test_an_unknown_token_has_no_holder(door_pool: Pool) -> None:
    await issue(door_pool)

    assert await principal_of(door_pool, "kc_unknown") is None
    assert await principal_of(door_pool, "\xff\xe6") is None


async def test_a_token_holds_until_it_expires(door_pool: Pool) -> None:
    token = await issue(door_pool, expires_at=NOW + timedelta(days=1))

    assert await principal_of(door_pool, token, NOW + timedelta(hours=23, minutes=59))
    assert await principal_of(door_pool, token, NOW + timedelta(days=1)) is None


async def test_a_revoked_token_has_no_holder(door_pool: Pool) -> None:
    token = await issue(door_pool)

    await door_pool.execute("UPDATE token SET revoked_at = $1", NOW)

    assert await principal_of(door_pool, token) is None


async def test_a_given_token_may_be_issued_again(door_pool: Pool) -> None:
    assert await issue(door_pool, token=GIVEN) == GIVEN
    assert await issue(door_pool, token=GIVEN, expires_at=NOW + timedelta(days=1)) == GIVEN

    assert await principal_of(door_pool, GIVEN, NOW + timedelta(days=2)) is None
