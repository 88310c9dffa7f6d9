"""Refusals of the rules as problems, in both languages and with pointers into the body."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from chassis.problems import Problem, Said
from flexjob_pool.domain.refusals import Clash, NotRegistered, Refusal


@contextmanager
def told_as_problems(within: str = "") -> Iterator[None]:
    """Raise as a problem what a use case refuses; `within` is where in the body the request itself stands."""
    try:
        yield
    except Refusal as refusal:
        raise _problem_of(refusal, within) from None
    except ValidationError as invalid:
        inside = [name for name in within.split("/") if name]
        errors = [{**error, "loc": ("body", *inside, *error["loc"])} for error in invalid.errors(include_url=False)]
        raise RequestValidationError(errors) from None


def _problem_of(refusal: Refusal, within: str) -> Problem:
    """404 for what is not there, 409 when what is registered stands in the way, else 422."""
    if isinstance(refusal, NotRegistered):
        status, title = 404, Said("Findes ikke", "Not found")
    elif all(isinstance(reason, Clash) for reason in refusal.reasons):
        status, title = 409, Said("Det kan ikke registreres", "It cannot be registered")
    else:
        status, title = 422, Said("Forespørgslen er ikke gyldig", "The request is not valid")
    errors = [(_pointer(reason.field, within), _said(reason)) for reason in refusal.reasons]
    return Problem(status, refusal.code, title, _said(refusal), errors)


def _pointer(field: str, within: str) -> str:
    """A field of the whole body begins with a slash; any other stands within the request."""
    return field if not field or field.startswith("/") else f"{within}/{field}"


def _said(refusal: Refusal) -> Said:
    return Said(refusal.in_danish, refusal.in_english)
