"""Doors beside those of the nouns: what rules would do before they are adopted, and what a fiscal year amounts to."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic_core import to_json

from chassis.database import ACQUIRE_SECONDS
from chassis.idempotency import Answer
from flexjob_pool.domain.adoption import Preview, preview
from flexjob_pool.doors.building import Reader, Writer, answer, perform
from flexjob_pool.requests.rules import AdoptRules
from flexjob_pool.store import cases, lists
from flexjob_pool.store.lists import FiscalYear
from flexjob_pool.use_cases import Desk

router = APIRouter()


@router.post("/v1/rules/previews", tags=["rules"], response_model=Preview)
async def preview_rules(ask: AdoptRules, at: Writer) -> Response:
    """What rules would do to the applications of their first calendar year; nothing is adopted."""

    async def look(desk: Desk) -> Answer:
        applications = await lists.applications_of(desk.db, ask.occurred_on.year)
        versions = (await cases.fetch(desk.db, [])).rules
        return Answer(200, to_json(preview(ask, applications, versions, desk.calendar.today())))

    return await perform(at, ask, look)


@router.get("/v1/fiscal-years/{year}", tags=["budget"], response_model=FiscalYear)
async def show_fiscal_year(year: Annotated[int, Path(ge=1990, le=2100)], at: Reader) -> Response:
    """What budgets set aside for a year, what grants draw on it, and what is free."""
    async with at.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        return answer(await lists.fiscal_year(db, year))
