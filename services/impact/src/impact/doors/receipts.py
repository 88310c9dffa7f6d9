"""The door on receipts: what a figure is made of, fact by fact, and what moved it between two positions."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from chassis.database import Connection
from chassis.http import Door, door
from impact import enquiry
from impact.asked import Page
from impact.catalogue import INDICATORS
from impact.disclosure import EXACT
from impact.doors.figures import NOT_KEPT, UNKNOWN, IndicatorId, given, note_read, served
from impact.figures import Known, Question
from impact.parameters import PARAMETERS_OF_RECEIPT
from impact.questions import asked_about_receipt
from impact.receipts import Cause, Contribution, Entered, Member, members_of, within
from impact.shown import FigureShown, figure_shown
from impact.store import receipts as store
from impact.store.figures import figure_at, snapshot

router = APIRouter(tags=["figures"])


class HistoryShown(BaseModel):
    """The facts that share a key."""

    kind: str = Field(examples=["person"])
    key: str


class ContributionShown(BaseModel):
    """What one contributor brings to one side of the figure."""

    role: str = Field(description="numerator or denominator; of a plain sum, the numerator.")
    measure: str
    history: HistoryShown
    contributor: str
    person_ref: str | None = Field(description="Whom disclosure protects.")
    dimensions: dict[str, str]
    amount: str = Field(description="Exact. Of an average the sum of its days' ends, to be divided by `days`.")


class FactShown(BaseModel):
    """A fact of a history behind the figure."""

    history: HistoryShown
    source: str
    id: str
    type: str
    occurred_on: date | None
    time: datetime = Field(description="When the source registered it.")
    position: int
    recorded_at: datetime = Field(description="When it was admitted.")
    corrects: str | None
    left_out: str | None = Field(
        description="Why the rule does not see it: retracted, superseded, or waiting for its opening or its target; "
        "null when it does."
    )
    instead: str | None = Field(description="The id of the event that retracted it, or that holds in its place.")


class CauseShown(ContributionShown):
    """What one fact changed of one contributor's amount."""

    position: int
    source: str
    id: str
    type: str
    recorded_at: datetime


class ReceiptShown(BaseModel):
    """A figure with what it is made of, as known at its position.

    The amounts of the numerators add up to the figure, divided by those of the denominators if there are any, by the
    indicator's divisor, and of an average by `days`; of a median, the middle of the numerators' amounts of those
    contributors that a denominator counts.
    """

    figure: FigureShown
    divisor: str
    days: int | None = Field(description="How many days an average is over, else null.")
    contributions: list[ContributionShown]
    facts: list[FactShown] = Field(description="Of the histories of these contributions, in order of admission.")
    parked: dict[str, int] = Field(description="Facts that stood outside every history, by reason.")
    since: int | None = Field(description="The position that `moved` begins after, when it was asked for.")
    moved: list[CauseShown] = Field(description="What moved the amounts after `since`.")
    contributors: int = Field(description="How many contributions there are in all.")
    next: int | None = Field(description="The `cursor` of the next page of contributions; null on the last.")


@router.get(
    "/v1/figures/{indicator_id}/receipt",
    openapi_extra={"parameters": PARAMETERS_OF_RECEIPT},
    responses={**UNKNOWN, **NOT_KEPT},
)
async def show_receipt(
    indicator_id: IndicatorId, at: Annotated[Door, Depends(door(EXACT))], response: Response
) -> ReceiptShown:
    """The receipt of a figure: each contributor's amount, the facts of their histories, and what was left out and why.

    Takes what the figure takes. With `since`, also what moved it after that position. Each reading is noted.
    """
    response.headers["cache-control"] = "no-store"
    entries = enquiry.entries_of(INDICATORS, indicator_id)
    asked, page = asked_about_receipt(given(at), entries, served=served(at), today=at.calendar.today())
    async with snapshot(at.pool) as db:
        lane = await enquiry.lane_of(db, asked)
        question = await enquiry.question_of(db, asked, entries, lane)
        receipt = await _receipt(db, question, lane, page)
    await note_read(at, [question])
    return receipt


async def _receipt(db: Connection, question: Question, lane: Known, page: Page) -> ReceiptShown:
    figure = await figure_at(db, question, lane)
    contributions = within(question, await store.contributions(db, question, lane.position))
    shown = contributions[page.cursor : page.cursor + page.limit]
    since = None if page.since is None else await enquiry.position_of(db, question.municipality, page.since)
    causes = [] if since is None else await store.causes(db, question, since=since, position=lane.position)
    histories = sorted({contribution.history for contribution in shown})
    told = await store.told(db, question.municipality, histories, {cause.position for cause in causes}, lane.position)
    members = members_of(histories, told, question.indicator.sources)
    entered = {each.fact.position: each for each in told}
    following = page.cursor + page.limit
    return ReceiptShown(
        figure=figure_shown(figure),
        divisor=f"{question.indicator.divisor:f}",
        days=question.days,
        contributions=[ContributionShown(**_contribution(each)) for each in shown],
        facts=[_fact(member) for member in members],
        parked=await store.parked(db, question.municipality, lane.position),
        since=since,
        moved=[_moved(cause, entered[cause.position]) for cause in causes],
        contributors=len(contributions),
        next=following if following < len(contributions) else None,
    )


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


def _fact(member: Member) -> FactShown:
    kind, key = member.history
    fact = member.entered.fact
    return FactShown(
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
