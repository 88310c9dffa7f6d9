"""The door on receipts: what a figure is made of, fact by fact, and what moved it between two positions."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from chassis import refusals
from chassis.database import Connection
from chassis.http import Door, door
from chassis.problems import Fault, Said
from impact import enquiry
from impact.asked import Page, invalid
from impact.catalogue import INDICATORS
from impact.chronicle import Outcome
from impact.disclosure import EXACT
from impact.doors.figures import NOT_KEPT, UNKNOWN, IndicatorId, given, note_read, served
from impact.figures import Known, Question
from impact.parameters import PARAMETERS_OF_RECEIPT
from impact.questions import asked_about_receipt
from impact.receipts import Cause, Contribution, Entered, Member, Role, members_of, moved_within, within
from impact.shown import FigureShown, figure_shown
from impact.store import receipts as store
from impact.store.figures import figure_at, snapshot, with_facts
from impact.store.recall import NotUnderstood

LATER = Said("må ikke ligge efter known_as_of", "must not be after known_as_of")

router = APIRouter(tags=["figures"])


class HistoryShown(BaseModel):
    """The facts that share a key."""

    kind: str = Field(examples=["person"])
    key: str = Field(examples=["3f1d8f0a-8f57-4c39-8f0b-2d5f7f8f1a66"])


class ContributionShown(BaseModel):
    """What one contributor brings to one side of the figure."""

    role: Role = Field(description="Which side of the line; what is no ratio has numerators alone.")
    measure: str = Field(examples=["effective_hours"])
    history: HistoryShown
    contributor: str = Field(description="What is counted.")
    person_ref: str | None = Field(description="Whom disclosure protects.")
    dimensions: dict[str, str] = Field(examples=[{"department": "Senior"}])
    amount: str = Field(
        description="Exact, and never nothing. Of an average the sum of its days' ends, to be divided by `days`.",
        examples=["12.50"],
    )


class FactBehind(BaseModel):
    """A fact of a history behind the figure."""

    history: HistoryShown
    source: str = Field(examples=["urn:kraftcenter:621:flexjob_pool"])
    id: str
    type: str = Field(examples=["dk.kraftcenter.flexjob.started.v1"])
    occurred_on: date | None = Field(description="When it became true.")
    time: datetime = Field(description="When the source registered it.")
    position: int = Field(description="Where it was admitted; of one that was parked, where its replay was.")
    recorded_at: datetime = Field(description="When it was admitted.")
    corrects: str | None = Field(description="The id of the event that it corrects.")
    left_out: Outcome | None = Field(
        description="Why the rule does not see it: retracted, superseded, or waiting for its opening or its target; "
        "null when it does."
    )
    instead: str | None = Field(description="The id of the event that retracted it, or that holds in its place.")


class CauseShown(ContributionShown):
    """What one fact changed of one contributor's amount; the fact may be a correction or a retraction."""

    position: int = Field(description="Where the fact was admitted.")
    source: str
    id: str
    type: str
    recorded_at: datetime


class ReceiptShown(BaseModel):
    """A figure with what it is made of, as known at its position.

    The amounts of the numerators add up to the figure, divided by those of the denominators if it is a ratio, by
    `divisor`, and of an average by `days`; a divisor divides what is above the line alone. Each cell adds up likewise
    from the contributions with its dimensions. Of a median the figure is the middle of what the numerators give those
    contributors that a denominator counts, or the mean of the two in the middle; who has no numerator is at nothing.
    """

    figure: FigureShown
    reading: str = Field(description="sum, or median.", examples=["sum"])
    held: dict[str, str] = Field(
        description="What the figure itself is held to; its cells are not, in the dimensions that `by` names.",
        examples=[{"weeks": "26"}],
    )
    divisor: str = Field(examples=["37"])
    days: int | None = Field(description="How many days an average is over, else null.")
    contributions: list[ContributionShown] = Field(description="This page of them, history by history.")
    facts: list[FactBehind] = Field(
        description="All facts of the histories of these contributions that the rule may read, in order of admission; "
        "a history whose contributions go on on the next page stands there again."
    )
    parked: dict[str, int] = Field(
        description="Facts of the whole lane that stand outside every history, by reason.",
        examples=[{"unknown_type": 1}],
    )
    since: int | None = Field(description="The position after which `moved` begins, when it was asked for.")
    moved: list[CauseShown] = Field(
        description="What changed the amounts after `since`, fact by fact, in order of admission; this page of it. "
        "Of a sum or a ratio it adds up, on each side of the line, to the difference from the same figure as known at "
        "`since`. **Median**: it is what changed for each contributor; the middle may move by something else, or stay. "
        "**Read on the days of its snapshots** (F2): it is everything dated up to `as_of`, also after the day of the "
        "last snapshot, and a new snapshot shows as its difference from the one before; it need not add up."
    )
    contributions_in_all: int = Field(description="On all pages.")
    moved_in_all: int = Field(description="On all pages.")
    next_cursor: int | None = Field(
        description="Where the next page of contributions and of what moved them begins; null on the last. Ask for it "
        "with this figure's `position` as `known_as_of`, and its `as_of`, so that all pages are of one receipt."
    )


@router.get(
    "/v1/figures/{indicator_id}/receipt",
    openapi_extra={"parameters": PARAMETERS_OF_RECEIPT},
    responses={**UNKNOWN, **NOT_KEPT},
)
async def show_receipt(
    indicator_id: IndicatorId, at: Annotated[Door, Depends(door(EXACT))], response: Response
) -> ReceiptShown:
    """The receipt of a figure: each contributor's amount, the facts of their histories, and what was left out and why.

    Takes what the figure takes, of the token's own municipality. With `since`, also what moved it after that position.
    Each reading about persons is noted.
    """
    response.headers["cache-control"] = "no-store"
    entries = enquiry.entries_of(INDICATORS, indicator_id)
    asked, page = asked_about_receipt(given(at), entries, served=served(at), today=at.calendar.today())
    if asked.municipality != at.principal.municipality:
        raise refusals.other_municipality()
    async with snapshot(at.pool) as db:
        lane = await enquiry.lane_of(db, asked)
        question = await enquiry.question_of(db, asked, entries, lane)
        try:
            receipt = await _receipt(db, question, lane, page)
        except NotUnderstood:
            raise enquiry.cannot_tell() from None
    await note_read(at, [question])
    return receipt


async def _receipt(db: Connection, question: Question, lane: Known, page: Page) -> ReceiptShown:
    since = await _since(db, question, lane, page)
    contributions = within(question, await store.contributions(db, question, lane.position))
    causes = [] if since is None else await store.causes(db, question, since=since, position=lane.position)
    moved, part = moved_within(question, causes), slice(page.cursor, page.cursor + page.limit)
    histories = {contribution.history for contribution in contributions[part]}
    positions = {cause.position for cause in moved[part]}
    told = await store.told(db, question.municipality, histories, positions, lane.position)
    entered = {each.fact.position: each for each in told}
    (figure,) = await with_facts(db, [await figure_at(db, question, lane)])
    return ReceiptShown(
        figure=figure_shown(figure),
        reading=question.indicator.reading,
        held=question.indicator.held_on(question.as_of, ()),
        divisor=f"{question.indicator.divisor:f}",
        days=question.days,
        contributions=[ContributionShown(**_contribution(each)) for each in contributions[part]],
        facts=[_fact(member) for member in members_of(histories, told, question.indicator.sources)],
        parked=await store.parked(db, question.municipality, lane.position),
        since=since,
        moved=[_moved(cause, entered[cause.position]) for cause in moved[part]],
        contributions_in_all=len(contributions),
        moved_in_all=len(moved),
        next_cursor=part.stop if part.stop < max(len(contributions), len(moved)) else None,
    )


async def _since(db: Connection, question: Question, lane: Known, page: Page) -> int | None:
    """The position after which what moved the figure is told. Raises Problem for one after the figure's own."""
    if page.since is None:
        return None
    since = await enquiry.position_of(db, question.municipality, page.since)
    if since > lane.position:
        raise invalid(Fault("parameter", "since", LATER))
    return since


def _contribution(contribution: Contribution) -> dict[str, Any]:
    kind, key = contribution.history
    return {
        "role": contribution.role,
        "measure": contribution.measure.id,
        "history": HistoryShown(kind=kind, key=key),
        "contributor": contribution.contributor,
        "person_ref": contribution.person,
        "dimensions": contribution.dimensions,
        "amount": f"{contribution.amount:f}",
    }


def _fact(member: Member) -> FactBehind:
    kind, key = member.history
    fact = member.entered.fact
    return FactBehind(
        history=HistoryShown(kind=kind, key=key),
        source=fact.source,
        id=fact.id,
        type=fact.type,
        occurred_on=fact.occurred_on,
        time=fact.time,
        position=fact.position,
        recorded_at=member.entered.recorded_at,
        corrects=fact.corrects,
        left_out=member.left_out,
        instead=member.instead,
    )


def _moved(cause: Cause, entered: Entered) -> CauseShown:
    fact = entered.fact
    return CauseShown(
        **_contribution(cause.contribution),
        position=cause.position,
        source=fact.source,
        id=fact.id,
        type=fact.type,
        recorded_at=entered.recorded_at,
    )
