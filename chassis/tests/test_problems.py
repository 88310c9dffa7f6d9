import json
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.requests import Request

from chassis.problems import Fault, Problem, Said, language_of, response_of
from chassis.reasons import MOST, faults_of, pointer_to
from contracts.types import Day, HoursPerWeek, Instant, Ore, OrganisationUnit, Ref, Share

PERSONAL = "0101701234-hunter2"
TITLE = Said("Puljen er brugt", "The pool is exhausted")
DETAIL = Said("Der er ikke flere penge i år.", "There is no more money this year.")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "da"),
        ("da", "da"),
        ("en", "en"),
        ("en-GB", "en"),
        ("EN-us", "en"),
        ("fr", "da"),
        ("*", "da"),
        ("da, en", "da"),
        ("en, da", "en"),
        ("da;q=0.5, en", "en"),
        ("en;q=0.2, da;q=0.9", "da"),
        ("en;q=0", "da"),
        ("de, en;q=0.7", "en"),
        ("en;q=nan", "da"),
        ("en;q=9", "da"),
        (";;;,,,q=1", "da"),
    ],
)
def test_the_language_is_danish_unless_english_is_wanted_more(header: str, language: str) -> None:
    assert language_of(header) == language


@given(st.text())
def test_any_accept_language_gives_a_language(header: str) -> None:
    assert language_of(header) in {"da", "en"}


def test_a_problem_says_everything_in_one_language() -> None:
    problem = Problem(409, "pool-exhausted", TITLE, DETAIL, [("/amount_ore", Said("for stort", "too much"))])
    request = Request({"type": "http", "headers": [(b"accept-language", b"en")]})

    response = response_of(problem, request)

    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["content-language"] == "en"
    assert response.headers["vary"] == "Accept-Language"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:kraftcenter:problem:pool-exhausted",
        "title": "The pool is exhausted",
        "status": 409,
        "detail": "There is no more money this year.",
        "errors": [{"pointer": "/amount_ore", "detail": "too much"}],
    }


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Ore


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ref: Ref
    day: Day
    instant: Instant
    hours: HoursPerWeek
    share: Share
    unit: OrganisationUnit
    parts: Annotated[list[Part], Field(min_length=1, max_length=3)]
    price: Annotated[Decimal, Field(max_digits=4, decimal_places=1)]
    name: Annotated[str, Field(min_length=2, max_length=20)]
    kind: Literal["one", "two"]
    retention: bool
    own: int
    given: dict[str, int] = {}

    @field_validator("own", mode="before")
    @classmethod
    def _own(cls, value: Any) -> Any:
        if value == PERSONAL:
            raise ValueError(Said("er ikke vores", "is not ours"))
        if value == "echo":
            raise ValueError(f"bad value {value}")
        return value


def faults(body: Any) -> dict[str, Said]:
    with pytest.raises(ValidationError) as refusal:
        Body.model_validate(body)
    errors = [dict(error) | {"loc": ("body", *error["loc"])} for error in refusal.value.errors()]
    return {fault.place: fault.said for fault in faults_of(errors)}


def test_all_reasons_are_told_at_once_with_their_places() -> None:
    found = faults({"parts": [{"amount": 1}, {"amount": -1, "more": 1}], "kind": "three", "name": "x", "own": PERSONAL})

    assert {place: said.english for place, said in found.items()} == {
        "/ref": "is missing",
        "/day": "is missing",
        "/instant": "is missing",
        "/hours": "is missing",
        "/share": "is missing",
        "/unit": "is missing",
        "/price": "is missing",
        "/retention": "is missing",
        "/parts/1/amount": "must be at least 0",
        "/parts/1": "has a field that is not known here",
        "/kind": "must be one of: 'one' or 'two'",
        "/name": "must have at least 2 characters",
        "/own": "is not ours",
    }


def test_the_texts_of_the_contracts_are_said_in_danish_too() -> None:
    wrong = dict.fromkeys(("ref", "day", "instant", "hours", "share"), "x") | {"unit": "Job 010170-1234"}

    said = faults(wrong)

    assert all(said[f"/{name}"].danish.startswith("skal være") for name in ("ref", "day", "instant", "hours", "share"))
    assert said["/unit"].danish.startswith("skal have formen")


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(PERSONAL) | st.just("echo") | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(PERSONAL), inner),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(Body.model_fields, ANY_JSON) | {PERSONAL: ANY_JSON}))
def test_no_value_is_ever_repeated(body: dict[str, Any]) -> None:
    for place, said in faults(body).items():
        for text in (place, said.danish, said.english):
            assert PERSONAL not in text
            assert "echo" not in text


def test_a_name_that_may_be_a_value_is_left_out_of_the_pointer() -> None:
    assert pointer_to(["given", "0101701234"]) == "/given"
    assert pointer_to(["given", "p_0101701234", "x"]) == "/given"
    assert pointer_to(["given", "a/b"]) == "/given"
    assert pointer_to(["parts", 3, "line_2"]) == "/parts/3/line_2"


def test_parameters_and_headers_are_told_apart() -> None:
    errors = [{"type": "missing", "loc": (origin, "name")} for origin in ("query", "path", "header", "body")]

    assert [(fault.kind, fault.place) for fault in faults_of(errors)] == [
        ("parameter", "name"),
        ("parameter", "name"),
        ("header", "name"),
        ("pointer", "/name"),
    ]


def test_a_flood_of_reasons_is_cut_and_says_so() -> None:
    errors = [{"type": "missing", "loc": ("body", "parts", number)} for number in range(MOST + 5)]

    told = faults_of(errors)

    assert len(told) == MOST + 1
    assert told[-1] == Fault("pointer", "", Said("og 5 fejl til", "and 5 errors more"))
