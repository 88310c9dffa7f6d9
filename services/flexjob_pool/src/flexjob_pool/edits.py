"""What a story that is told again makes of the events in force: corrections, retractions, and events that are new."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.event import DatedEvent
from contracts.platform import EventRetracted
from flexjob_pool.domain.story import Difference, Of, Story, differences, has_reason_of_its_own
from flexjob_pool.requests.ask import Ask
from flexjob_pool.store.decisions import Chapter, Row, Version
from flexjob_pool.use_cases import Emission, event_ids

# What only follows has no reason that somebody gave.
WRONG = "registration_error"
NEVER = "never_happened"


@dataclass(frozen=True, slots=True)
class Edit:
    """An event to emit, the row that keeps it, and the root that it takes back."""

    emission: Emission
    row: Row | None = None
    gone: UUID | None = None


def edits_of(  # noqa: PLR0913 - what was, what is, and why
    chapter: Chapter, story: Story, asked: Mapping[int, Ask], *, why: str, changed: int | None, now: datetime
) -> list[Edit]:
    """How the events in force become those of the story, beginning with the decision that was changed."""
    before: dict[Of, Version] = {(one.decision, one.event.contract.type): one for one in chapter.versions}
    edits: list[Edit] = []
    for difference in _in_order(before, story, changed):
        version, after = before.get(difference.of), difference.after
        if after is None:
            assert version  # noqa: S101 - a difference has a side
            edits.append(_retraction(version))
        else:
            position = difference.of[0]
            opens = difference.of == _first(story, position) and (position == changed or version is None)
            ask = asked[position] if opens else None
            edits.append(_version(after, version, position=position, ask=ask, why=why, now=now))
    return edits


def _in_order(before: Mapping[Of, Version], story: Story, changed: int | None) -> list[Difference]:
    found = differences({of: version.event for of, version in before.items()}, story.events)
    first = _first(story, changed)
    # What was asked is kept beside its event, so there is a version for it even where the event says the same.
    if first and first not in {difference.of for difference in found}:
        found.append(Difference(first, story.events[first], story.events[first]))
    return sorted(found, key=lambda difference: difference.of != first)


def _first(story: Story, position: int | None) -> Of | None:
    """The event that tells of a decision first."""
    return next((of for of in story.events if of[0] == position), None)


def _retraction(version: Version) -> Edit:
    event = EventRetracted(event_id=str(version.root_id), reason_code=NEVER)
    return Edit(Emission(next(event_ids), event), gone=version.root_id)


def _version(  # noqa: PLR0913 - what a row of a version says
    after: DatedEvent, before: Version | None, *, position: int, ask: Ask | None, why: str, now: datetime
) -> Edit:
    if before is None:
        emission = Emission(next(event_ids), after)
        return Edit(emission, Row(emission.id, after, now, ask=ask, decision=position))
    if not has_reason_of_its_own(type(after)):
        after = after.model_copy(update={"reason_code": why})
    emission = Emission(next(event_ids), after, corrects=before.event_id)
    row = Row(
        emission.id,
        after,
        now,
        ask=ask,
        decision=position,
        root_id=before.root_id,
        corrects=before.event_id,
        why=why,
    )
    return Edit(emission, row)
