"""Who did what, in real time: one row per request, with what was asked for and never with what was answered."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chassis.database import Connection
from chassis.tokens import Principal
from impact.disclosure import read_exactly
from impact.figures import Question

READ_EXACT = "read_exact"


async def note(  # noqa: PLR0913 - the columns of a note
    db: Connection,
    *,
    at: datetime,
    municipality: str,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> None:
    """Write down that an actor (the name of a token) did something; nothing takes it back."""
    await db.execute(NOTE, at, municipality, actor, action, subject, dict(detail))


NOTE = "INSERT INTO audit (at, municipality, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6)"


async def note_exact_read(
    db: Connection, reader: Principal | None, questions: Iterable[Question], asked: Mapping[str, str], *, at: datetime
) -> None:
    """Write down which figures about persons a reader is about to get exactly, and by which parameters.

    A reader who gets none exactly leaves no row.
    """
    read = read_exactly(questions, reader)
    if reader and read:
        await note(
            db,
            at=at,
            municipality=read[0].municipality,
            actor=reader.token_name,
            action=READ_EXACT,
            subject=" ".join(question.indicator.id for question in read),
            detail={"as_of": read[0].as_of.isoformat(), **asked},
        )
