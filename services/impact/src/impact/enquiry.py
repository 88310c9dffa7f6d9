"""From what is asked to questions that a lane can answer: known at which position, by which definition."""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Connection
from chassis.problems import Problem, Said
from impact.asked import Asked
from impact.figures import Known, Question
from impact.indicator import Indicator
from impact.questions import beyond
from impact.store.figures import BeyondLane, definitions_of, known
from impact.versions import entries_at, entries_by_id, entry_at, entry_of_version


def unknown_indicator() -> Problem:
    """An id that the catalogue does not have."""
    return Problem(
        404,
        "unknown-indicator",
        Said("Indikatoren findes ikke", "There is no such indicator"),
        Said("GET /v1/indicators viser alle id'er.", "GET /v1/indicators lists every id."),
    )


def not_in_force() -> Problem:
    """A definition that the lane does not keep, or did not keep then."""
    return Problem(
        409,
        "definition-not-in-force",
        Said("Definitionen er ikke i kraft", "The definition is not in force"),
        Said(
            "Kommunens fakta er endnu ikke talt efter den definition, eller var det ikke ved known_as_of. Vælg en "
            "anden definition_version, en senere known_as_of, eller spørg igen senere.",
            "The municipality's facts are not yet counted by this definition, or were not at known_as_of. Choose "
            "another definition_version, a later known_as_of, or ask again later.",
        ),
    )


def cannot_tell() -> Problem:
    """This program and the lane do not know the same definitions or events."""
    return Problem(
        503,
        "lane-not-told",
        Said("Kommunens tal skal genopbygges først", "The municipality's figures must be rebuilt first"),
        Said(
            "Programmet og databasen kender ikke de samme definitioner eller hændelser. Brug det nyeste program, eller "
            "kør `kraftcenter rebuild`.",
            "The program and the database do not know the same definitions or events. Use the newest program, or run "
            "`kraftcenter rebuild`.",
        ),
        headers={"retry-after": "60"},
    )


def entries_of(indicators: Sequence[Indicator], indicator_id: str) -> list[Indicator]:
    """The definitions of one indicator, oldest first. Raises Problem when there is none of this id."""
    entries = entries_by_id(indicators).get(indicator_id)
    if not entries:
        raise unknown_indicator()
    return entries


async def lane_of(db: Connection, asked: Asked) -> Known:
    """How far the lane had come by `known_as_of`. Raises Problem for a position that it has not come to."""
    try:
        return await known(db, asked.municipality, asked.known_as_of)
    except BeyondLane as error:
        raise beyond(error.position) from None


async def position_of(db: Connection, municipality: str, since: int | datetime) -> int:
    """The position that the lane had come to at a moment. Raises Problem for one that it has not come to."""
    try:
        return (await known(db, municipality, since)).position
    except BeyondLane as error:
        raise beyond(error.position, "since") from None


async def question_of(db: Connection, asked: Asked, entries: Sequence[Indicator], lane: Known) -> Question:
    """The question about one indicator, by the definition that it names, or that is in force. Raises Problem."""
    definitions = await definitions_of(db, asked.municipality)
    if asked.definition_version is None:
        entry = entry_at(entries, definitions, lane.position)
    else:
        entry = entry_of_version(entries, asked.definition_version, definitions, lane.position)
    if entry is None:
        raise not_in_force()
    return asked.about(entry)


async def questions_of(db: Connection, asked: Asked, indicators: Sequence[Indicator], lane: Known) -> list[Question]:
    """The question about each indicator by the definition in force; what the lane does not keep is left out."""
    definitions = await definitions_of(db, asked.municipality)
    return [asked.about(entry) for entry in entries_at(indicators, definitions, lane.position)]
