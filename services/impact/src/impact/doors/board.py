"""The board at `/`: what anybody may see, as a page for people."""

from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import HTMLResponse, Response

from chassis.database import Connection
from chassis.http import Door, door
from chassis.problems import Fault
from impact.asked import invalid, one_of
from impact.board.page import Seen, render
from impact.board.signs import Evidence
from impact.board.words import Language
from impact.catalogue import INDICATORS
from impact.disclosure import Release, disclosed, withheld
from impact.doors.figures import served
from impact.figures import ask
from impact.store import conservation, verification
from impact.store.figures import definitions_of, figures_at, known, snapshot
from impact.store.releases import latest
from impact.versions import entries_at

router = APIRouter(tags=["board"])

# Nothing comes from elsewhere, nothing runs in the browser, and nobody shows the page inside their own.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
GUARDED = {"content-security-policy": POLICY, "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}


@router.get("/", response_class=HTMLResponse)
async def show_board(
    at: Annotated[Door, Depends(door())],
    municipality: Annotated[str | None, Query(description="Code of the municipality; the first one served.")] = None,
    lang: Annotated[Language, Query(description="Danish or English.")] = "da",
) -> HTMLResponse:
    """Figures as everybody may see them, what each is worth, and whether they can be relied on just now."""
    codes = served(at)
    if municipality is not None and municipality not in codes:
        raise invalid(Fault("parameter", "municipality", one_of(codes)))
    seen = await _see(at, municipality or codes[0])
    # A figure is stale at once.
    return HTMLResponse(render(seen, lang, codes), headers={**GUARDED, "cache-control": "no-store"})


@router.get("/board.css", include_in_schema=False)
def style() -> Response:
    """What the page looks like."""
    css = (files("impact.board") / "board.css").read_text(encoding="utf-8")
    return Response(css, media_type="text/css", headers={"cache-control": "max-age=3600"})


async def _see(at: Door, municipality: str) -> Seen:
    trusted: bool = await at.request.app.state.trusted(municipality)
    async with snapshot(at.pool) as db:
        lane = await known(db, municipality)
        entries = entries_at(INDICATORS, await definitions_of(db, municipality), lane.position)
        asked = [ask(entry, municipality, as_of=at.calendar.today()) for entry in entries]
        release = await latest(db, municipality)
        public = [question for question in asked if not question.indicator.about_persons]
        live = {figure.question: figure for figure in await figures_at(db, public, lane)} if public else {}
        evidence = await _evidence(db, municipality, at.calendar.today(), release, trusted=trusted)
    figures = [live.get(question) or withheld(question, lane) for question in asked]
    shown = [disclosed(each, None, release, by_default=True) for each in figures]
    return Seen(municipality, at.calendar.now(), lane, shown, evidence)


async def _evidence(
    db: Connection, municipality: str, today: date, release: Release | None, *, trusted: bool
) -> Evidence:
    verified, books = await verification.latest(db, municipality), await conservation.books(db, municipality)
    return Evidence(
        now=datetime.now(UTC),
        today=today,
        verified_at=verified.at if verified else None,
        cells=verified.cells if verified else 0,
        drift=verified.drift if verified else 0,
        trusted=trusted,
        balance=books.balance,
        parked=sum(books.parked.values()),
        released=release.as_of if release else None,
    )
