"""Lives a year day by day through the HTTP doors; the clock moves on only when all of a day was done."""

import asyncio
from collections.abc import AsyncIterator, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Protocol

import httpx

from local.actions.action import Action, Json
from local.actions.flexjobs import HoldReview
from local.actions.payroll import Message
from local.actions.undo import Correct, Retract
from local.plan.chance import DAYS
from local.plan.story import Story, Year

EIGHT_IN_THE_MORNING = time(8, tzinfo=UTC)
EVERY_SENT_TWICE = 40
HANDS = 8
CLOUD_EVENT = {"Content-Type": "application/cloudevents+json"}


class Refused(Exception):
    """A door did not take what the plan says, or took the same request for two."""


class Waits(Protocol):
    """What a day waits for."""

    async def over(self, day: date, *, payroll: bool) -> None:
        """Return once all of the day was heard, and what payroll told on it, if anything."""

    async def counted(self) -> None:
        """Return once everything so far was counted."""


@dataclass(slots=True)
class Office:
    """Registers a municipality's year at its doors, and remembers the events that each action became."""

    year: Year
    pool: httpx.AsyncClient
    gateway: httpx.AsyncClient
    pipeline: Waits
    events: dict[Action, list[str]] = field(default_factory=dict)
    requests: int = 0
    duplicates: int = 0
    heard_payroll: bool = False

    async def work(self, day: date) -> None:
        """Do all that is to be registered on a day: what is decided for all first, then the cases beside each other."""
        self.heard_payroll = False
        await self._take([tuple(action for action in self.year.office if action.registered_on == day)])
        waiting = iter(self.year.agenda.get(day, ()))
        await asyncio.gather(*(self._take(waiting) for _ in range(HANDS)))

    async def settle(self, day: date, *, counted: bool) -> None:
        """Return once all of the day was heard; `counted`: and was counted, with everything before."""
        await self.pipeline.over(day, payroll=self.heard_payroll)
        if counted:
            await self.pipeline.counted()

    async def _take(self, waiting: Iterable[Story]) -> None:
        """Take one case after the other, each in its own order."""
        for case in waiting:
            for action in case:
                await self.register(action)

    async def register(self, action: Action) -> None:
        """Send an action, now and then twice with one key, as one does who lost the answer. Refused when it fails."""
        self.requests += 1
        key = f"action-{self.requests}"
        twice = self.requests % EVERY_SENT_TWICE == 0
        path, body = await self._request(action)
        answer = await self._post(action, path, body, key)
        if twice and (await self._post(action, path, body, key)).content != answer.content:
            raise Refused(f"{action} got another answer when it was sent again with the same Idempotency-Key")
        told = answer.json()
        self.events[action] = told.get("event_ids", [])
        self.duplicates += told.get("outcome") == "duplicate"

    async def _request(self, action: Action) -> tuple[str, dict[str, Json]]:
        """What is posted, with the ids that the service gave to what the action is about."""
        if isinstance(action, Message):
            return action.path, action.event(self.year.town.municipality)
        path, body = action.request()
        if isinstance(action, Correct | Retract):
            return path.format(event_id=self.events[action.action][0]), body
        if isinstance(action, HoldReview) and action.was_called_for:
            return path, body | {"review_id": await self._review_id(action)}
        return path, body

    async def _review_id(self, action: HoldReview) -> str:
        asked = {"placement_id": str(action.placement_id), "review_kind": action.review_kind, "status": "due"}
        answer = await self.pool.get("/v1/reviews", params=asked)
        found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        if len(found) != 1:
            raise Refused(f"{action}: {len(found)} reviews wait for it, and there must be one")
        return str(found[0]["review_id"])

    async def _post(self, action: Action, path: str, body: dict[str, Json], key: str) -> httpx.Response:
        told_by_payroll = isinstance(action, Message)
        self.heard_payroll = self.heard_payroll or told_by_payroll
        door = self.gateway if told_by_payroll else self.pool
        headers = {"Idempotency-Key": key} | (CLOUD_EVENT if told_by_payroll else {})
        answer = await door.post(path, json=body, headers=headers)
        if not answer.is_success:
            raise Refused(f"{action} was answered with status {answer.status_code}: {answer.text}")
        return answer


async def live(offices: Sequence[Office], *, clock: Path, looked_at: Container[date]) -> AsyncIterator[date]:
    """Live every day of the year in all municipalities, and yield each one once it is over.

    A day that is `looked_at` has been counted by then. On another, impact may be some days behind, as in life.
    """
    for day in DAYS:
        await live_day(offices, day, clock=clock, counted=day in looked_at)
        yield day


async def live_day(offices: Sequence[Office], day: date, *, clock: Path, counted: bool = False) -> None:
    """Live a day in all municipalities, and return once all of it was heard; `counted`: and was counted."""
    set_clock(clock, day)
    await asyncio.gather(*(office.work(day) for office in offices))
    await asyncio.gather(*(office.settle(day, counted=counted) for office in offices))


def set_clock(clock: Path, day: date, at: time = EIGHT_IN_THE_MORNING) -> None:
    """Make it the morning of a day, or another time, for every process that reads the file; none reads half of it."""
    fresh = clock.with_suffix(".new")
    fresh.write_text(f"{datetime.combine(day, at).isoformat()}\n")
    fresh.replace(clock)
