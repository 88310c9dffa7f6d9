"""Corrections and retractions: the story is told again, and every event that comes out otherwise is put right."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from asyncpg import Record

from contracts.codelists import codes_on
from contracts.platform import EventRetracted
from flexjob_pool.domain.case import Case
from flexjob_pool.domain.refusals import CodeNotInForce, NothingChanges, NotRegistered
from flexjob_pool.domain.refusals.story import (
    FollowsFromAnother,
    FollowsFromPayroll,
    FollowsFromTheCalendar,
    PartOfTheAddress,
    Retracted,
    RulesStand,
)
from flexjob_pool.domain.rulebook import ASKS, needed
from flexjob_pool.domain.rules import Rules
from flexjob_pool.domain.story import Decision, tell
from flexjob_pool.edits import NEVER, WRONG, edits_of
from flexjob_pool.requests.ask import MONEY, RULES, Ask
from flexjob_pool.requests.reviews import CallReview
from flexjob_pool.store import cases, decisions
from flexjob_pool.store.decisions import Chapter
from flexjob_pool.store.documents import names_of
from flexjob_pool.use_cases import Desk, Emission, balance, emit, event_ids, follow_up

Change = Callable[[Decision], Decision]


async def correct(  # noqa: PLR0913 - what is put right, why, and on whose behalf
    desk: Desk,
    event_id: UUID,
    reason_code: str,
    values: Mapping[str, Any],
    *,
    by_itself: bool = False,
    cause: str | None = None,
) -> list[str]:
    """Put values over what was asked, None for a field to drop; the ids of all events that tell what is otherwise.

    `by_itself` tells that it is the service that puts its own decision right, because of the event `cause`.
    Raises pydantic's ValidationError when what is asked then is no such request, and the refusal of the rules.
    """
    _check_reason(desk, "correction_reason", reason_code)
    found = await _find(desk, event_id, anyhow=True)
    _check_whose(found, by_itself=by_itself, values=values)
    position: int = found["decision"]

    def change(decision: Decision) -> Decision:
        return replace(decision, ask=_corrected(decision.ask, values)) if decision.position == position else decision

    chapter = await _open(desk, found, change)
    await _find(desk, event_id, anyhow=True)
    told = [change(decision) for decision in chapter.decisions]
    if tuple(told) == chapter.decisions:
        raise NothingChanges
    return await _settle(desk, chapter, told, why=reason_code, changed=position, cause=cause)


async def retract(
    desk: Desk, event_id: UUID, reason_code: str, *, by_itself: bool = False, cause: str | None = None
) -> list[str]:
    """Take back an event, or a correction, so that the version before it holds again; the ids of all events."""
    _check_reason(desk, "retraction_reason", reason_code)
    found = await _find(desk, event_id)
    _check_whose(found, by_itself=by_itself)
    await _open(desk, found, _as_it_is)
    await _find(desk, event_id)
    retraction = Emission(next(event_ids), EventRetracted(event_id=str(event_id), reason_code=reason_code))
    await decisions.retract(desk.db, {event_id: retraction.id}, reason_code)
    # What holds again may name other resources than what held until now; if they are not locked, all begins again.
    chapter = await _open(desk, found, _as_it_is)
    return await _settle(desk, chapter, chapter.decisions, why=WRONG, first=[retraction], cause=cause)


def _as_it_is(decision: Decision) -> Decision:
    return decision


def _corrected(ask: Ask, values: Mapping[str, Any]) -> Ask:
    if ask.within in values:
        raise PartOfTheAddress().at(ask.within)
    asked = {**ask.model_dump(mode="json", exclude_none=True), **values}
    return type(ask).model_validate({name: value for name, value in asked.items() if value is not None})


def _check_reason(desk: Desk, codelist: str, reason_code: str) -> None:
    if reason_code not in codes_on(codelist, desk.calendar.today()):
        raise CodeNotInForce().at("/reason_code")


async def _find(desk: Desk, event_id: UUID, *, anyhow: bool = False) -> Record:
    """A version that nobody took back and that somebody asked for; `anyhow`, only its first version was asked for."""
    versions = await decisions.chain(desk.db, event_id)
    if not versions:
        raise NotRegistered
    root = versions[0]
    [found] = [version for version in versions if version["event_id"] == event_id]
    if root["retracted_by"] or found["retracted_by"]:
        raise Retracted
    if root["noun"] == Rules.noun:
        raise RulesStand
    if (root if anyhow else found)["ask"] is None:
        raise FollowsFromAnother
    return found


def _check_whose(found: Record, *, by_itself: bool, values: Collection[str] = ()) -> None:
    """Refuse to have somebody change what the service decided by itself, but for what it leaves to be stated."""
    ask = ASKS[found["kind"]]
    if ask.by_itself and not by_itself and not (values and ask.stated_later.issuperset(values)):
        raise FollowsFromTheCalendar if ask is CallReview else FollowsFromPayroll


async def _open(desk: Desk, found: Record, change: Change) -> Chapter:
    """The decisions that hang together with one, before and after the change, locked with all that they looked at."""
    names = frozenset(found["keys"])
    while True:
        chapter = await decisions.chapter(desk.db, names)
        changed = [change(decision) for decision in chapter.decisions]
        wanted = {place for decision in changed for place in needed(decision.about, decision.ask)}
        names = chapter.names | names_of(wanted)
        is_old = await desk.locks.take(desk.db, names | MONEY | RULES)
        if names == chapter.names and not is_old:
            return chapter


async def _settle(  # noqa: PLR0913 - what is told, why, and what goes before
    desk: Desk,
    chapter: Chapter,
    told: Sequence[Decision],
    *,
    why: str,
    changed: int | None = None,
    first: Sequence[Emission] = (),
    cause: str | None = None,
) -> list[str]:
    """Tell the story, put right what comes out otherwise, and let resources stand as it leaves them."""
    story = tell(told, municipality=desk.municipality, rules=chapter.rules, changed=changed)
    # A later version must be later, also where the calendar was set back.
    now = max([desk.calendar.now(), *(version.registered_at for version in chapter.versions)])
    edits = edits_of(chapter, story, {one.position: one.ask for one in told}, why=why, changed=changed, now=now)
    await decisions.amend(desk.db, [edit.row for edit in edits if edit.row])
    await decisions.retract(desk.db, {edit.gone: edit.emission.id for edit in edits if edit.gone}, NEVER)
    await decisions.rekey(desk.db, {position: names_of(places) for position, places in story.looked_at.items()})
    standing = story.resources.values()
    gone = chapter.names - names_of(story.resources)
    await cases.put(desk.db, standing)
    await cases.remove(desk.db, gone)
    await balance(desk, standing, gone=gone)
    emissions = [*first, *(edit.emission for edit in edits)]
    await emit(desk, emissions, now, cause=cause)
    rules = [version for _, version in chapter.rules]
    case = Case(standing, rules=rules, municipality=desk.municipality, today=desk.calendar.today())
    ids = [str(emission.id) for emission in emissions]
    return [*ids, *await follow_up(desk, case, standing, cause=ids[0])]
