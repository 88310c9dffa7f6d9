"""How long a correction of what was so two years ago takes until every exit tells it.

The exits: `/v1/figures/F1` on that day and today, `/v1/figures` and `/metrics/exact` at the position of the correction,
and `/v1/ledger/balance`. What was released stays as it was released, by design, and moves with the next release.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from chassis.wire import Sealed, seal
from contracts.streams import Stream
from services.impact.tests.year import told
from tests.bench.freshness import timestamps
from tests.bench.servers import Servers

BACK, CORRECTED = date(2025, 12, 1), date(2025, 12, 15)
LONGEST_SECONDS = 30


class Correction(NamedTuple):
    """A start of a placement on one day, and its correction to a later one."""

    first: Sealed
    corrected: Sealed


def correction(stream: Stream) -> Correction:
    """Of a person and a placement of their own, so that its figure moves by one."""
    name, placement, person = str(uuid4()), str(uuid4()), str(uuid4())
    known = {"municipality": stream.municipality, "producer": stream.producer}
    terms: dict[str, Any] = {"placement_id": placement, "person_ref": person, "grant_id": None}
    first = told("flexjob.started", BACK, **terms)
    then = told("flexjob.started", CORRECTED, **terms, reason_code="registration_error")
    at = datetime(2027, 11, 30, 9, tzinfo=UTC)
    return Correction(
        seal(first, **known, id=name, time=at), seal(then, **known, id=f"{name}-right", time=at, corrects=name)
    )


class Exits:
    """What impact tells whoever may see exact figures."""

    def __init__(self, client: httpx.AsyncClient, municipality: str) -> None:
        self._client = client
        self._municipality = municipality

    async def persons(self, as_of: date | None = None) -> tuple[int, int]:
        """How many persons were in flexjob on a day, today without one, and at which position that is known."""
        day = {"as_of": as_of.isoformat()} if as_of else {}
        answer = await self._get("/v1/figures/F1", **day)
        return int(answer["value"]), answer["position"]

    async def of_all(self) -> tuple[bool, int]:
        """That all figures are told, and at which position."""
        return True, int((await self._get("/v1/figures"))["items"][0]["position"])

    async def of_metrics(self) -> tuple[bool, int]:
        """That Prometheus is told, and at which position."""
        answer = await self._client.get("/metrics/exact")
        answer.raise_for_status()
        [line] = [line for line in answer.text.splitlines() if line.startswith("impact_lane_position{")]
        return True, int(float(line.split()[-1]))

    async def balance(self) -> tuple[bool, int]:
        """Whether the account of the lane closes, and at which position."""
        answer = await self._get("/v1/ledger/balance")
        return bool(answer["balanced"]), answer["position"]

    async def until_they_agree(self, then: int, now: int, position: int) -> None:
        """Ask each exit over and over, until all of them tell a position, with so many persons then and now.

        Raises TimeoutError, which names an exit that does not.
        """
        await asyncio.gather(
            _until("/v1/figures/F1 two years back", lambda: self.persons(BACK), then, position),
            _until("/v1/figures/F1", self.persons, now, position),
            _until("/v1/ledger/balance", self.balance, True, position),
            _until("/v1/figures", self.of_all, True, position),
            _until("/metrics/exact", self.of_metrics, True, position),
        )

    async def _get(self, path: str, **query: str) -> Any:
        answer = await self._client.get(path, params={"municipality": self._municipality, **query})
        return answer.raise_for_status().json()


async def restate(servers: Servers, exits: Exits, story: Correction, stream: Stream) -> float:
    """Publish a start, wait until it counts, correct it; milliseconds from the broker's timestamp of the correction."""
    then, position = await exits.persons(BACK)
    now, _ = await exits.persons()
    await _publish(servers, story.first)
    await exits.until_they_agree(then + 1, now + 1, position + 1)
    before = await _publish(servers, story.corrected) - 1
    await exits.until_they_agree(then, now + 1, position + 2)
    seen = time.time()
    return 1000 * (seen - (await timestamps(servers, stream, after=before))[before + 1])


async def _until(where: str, ask: Callable[[], Awaitable[tuple[int, int]]], told: int, position: int) -> None:
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            while (answer := await ask())[0] != told or answer[1] < position:
                continue
    except TimeoutError:
        raise TimeoutError(f"{where} does not tell position {position} within {LONGEST_SECONDS} s") from None


async def _publish(servers: Servers, event: Sealed) -> int:
    headers = {"Nats-Msg-Id": event.message_id}
    return (await servers.jetstream.publish(event.nats_subject, event.body, headers=headers)).seq
