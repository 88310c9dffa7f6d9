"""Municipality totals about persons leave together, and only when at least k persons have moved them since the last."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date
from math import ceil
from time import monotonic

import structlog

from chassis.calendar import Calendar
from chassis.database import ACQUIRE_SECONDS, UNAVAILABLE, Connection, Pool
from impact.disclosure import Release, is_rate, protected
from impact.figures import Figure, Known, Question, Value, ask
from impact.indicator import Indicator
from impact.protection import K
from impact.store import releases as store
from impact.store.figures import definitions_of, figures_at, known
from impact.store.releases import Asked
from impact.versions import entries_at

EVERY_SECONDS = 60.0
# So many times as long as it took to look, nobody looks again.
REST = 9

log = structlog.get_logger()


async def keep_releasing(  # noqa: PLR0913 - the parts that the wiring brings together
    pool: Pool,
    municipalities: Sequence[str],
    calendar: Calendar,
    indicators: Sequence[Indicator],
    *,
    trusted: Callable[[str], Awaitable[bool]],
    k: int = K,
    every: float = EVERY_SECONDS,
) -> None:
    """Look at each municipality again and again; `trusted` tells whether its figures passed their last verification.

    A release of a large lane takes long, and what else it keeps waiting counts for more: see `REST`.
    """
    while True:
        began = monotonic()
        for municipality in municipalities:
            try:
                trust = await trusted(municipality)
                await release_if_due(pool, municipality, calendar, indicators, trusted=trust, k=k)
            except UNAVAILABLE as error:
                log.warning("release_postponed", municipality=municipality, error=type(error).__name__)
        await asyncio.sleep(max(every, REST * (monotonic() - began)))


async def release_if_due(  # noqa: PLR0913 - what is released, and under which conditions
    pool: Pool,
    municipality: str,
    calendar: Calendar,
    indicators: Sequence[Indicator],
    *,
    trusted: bool,
    k: int = K,
) -> int | None:
    """Release the totals as of today and as known now, if that is due; the number of the release, or None.

    Nothing is released while the figures are not trusted, or while another worker is at it.
    """
    if not trusted:
        return None
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db, store.turn(db, municipality) as ours:
        if not ours:
            return None
        async with db.transaction(isolation="repeatable_read"):
            await store.allow_minutes(db)
            release = await _next(db, municipality, calendar, indicators, k)
    if release:
        log.info("released", municipality=municipality, number=release.number, position=release.position)
    return release.number if release else None


async def _next(
    db: Connection, municipality: str, calendar: Calendar, indicators: Sequence[Indicator], k: int
) -> Release | None:
    """The release that is due, already written."""
    lane, today = await known(db, municipality), calendar.today()
    last = await store.latest(db, municipality)
    entries = entries_at(indicators, await definitions_of(db, municipality), lane.position)
    personal = [entry for entry in entries if entry.about_persons]
    # A calendar that was set back releases nothing: releases follow each other on both clocks.
    if not personal or lane.at is None or (last and today < last.as_of):
        return None
    asked = _asked_since(last, personal, municipality, today)
    before = last.position if last else 0
    if await store.persons_moved(db, municipality, asked, before=before, after=lane.position) < k:
        return None
    wholes = await _wholes(db, municipality, [each.after for each in asked], lane, k)
    release = Release(municipality, last.number + 1 if last else 1, lane.position, today, lane.at, wholes)
    await store.append(db, release, {entry.id: entry.unit for entry in personal}, released_at=calendar.now(), k=k)
    return release


def _asked_since(last: Release | None, entries: Iterable[Indicator], municipality: str, today: date) -> list[Asked]:
    """Every indicator on the day of the last release and today; before the first, nothing was known on any day."""
    then = last.as_of if last else today
    return [Asked(ask(entry, municipality, as_of=then), ask(entry, municipality, as_of=today)) for entry in entries]


async def _wholes(
    db: Connection, municipality: str, questions: Sequence[Question], lane: Known, k: int
) -> dict[tuple[str, int], Value]:
    """Each whole as it may be released, by indicator and definition version."""
    figures = await figures_at(db, questions, lane)
    groups = await store.groups_behind(db, municipality, questions, lane.position)
    return {
        (figure.question.indicator.id, figure.question.indicator.definition_version): protected(
            figure, _groups(figure, behind), k
        )
        for figure, behind in zip(figures, groups, strict=True)
    }


def _groups(figure: Figure, behind: Sequence[int]) -> Sequence[int]:
    """How many persons make up each group; where each part is read on a day of its own, the figure has counted them."""
    whole, indicator = figure.whole, figure.question.indicator
    if indicator.evaluated_at is None or not is_rate(indicator) or whole.over is None or whole.under is None:
        return behind
    return [ceil(group) for group in (whole.over, abs(whole.under - whole.over)) if group]
