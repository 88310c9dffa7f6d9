"""What a door has done: decided, or put right, and payroll's registrations agreeing with it again, all at once."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flexjob_pool import payroll, undo, use_cases
from flexjob_pool.requests.ask import Ask
from flexjob_pool.store import lists
from flexjob_pool.use_cases import Desk, Recorded


async def register(desk: Desk, about: UUID | str, ask: Ask) -> Recorded:
    """Decide on what is asked; the resource as it stands when all has followed."""
    done = await use_cases.register(desk, about, ask)
    followed = await payroll.follow(desk, done.event_ids)
    if not followed:
        return done
    standing = await lists.find(desk.db, done.resource.noun, done.resource.key)
    return Recorded(standing or done.resource, [*done.event_ids, *followed])


async def correct(desk: Desk, event_id: UUID, reason_code: str, values: Mapping[str, Any]) -> list[str]:
    """Put values over what was asked; the ids of all events that tell what is otherwise."""
    event_ids = await undo.correct(desk, event_id, reason_code, values)
    return [*event_ids, *await payroll.follow(desk, event_ids)]


async def retract(desk: Desk, event_id: UUID, reason_code: str) -> list[str]:
    """Take an event back; the ids of all events that tell what is otherwise."""
    event_ids = await undo.retract(desk, event_id, reason_code)
    return [*event_ids, *await payroll.follow(desk, event_ids)]
