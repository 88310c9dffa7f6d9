"""No difference between impact's answers and the expectation slips through."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from local.comparison import Line, NotCovered, compare
from local.expected.value import Figure, Value

DAY = date(2025, 12, 31)
CATALOGUE = {
    "items": [{"id": "F1", "title": {"da": "Personer i fleksjob"}, "unit": "persons", "dimensions": ["department"]}]
}


def figure(value: str | None, cells: dict[str, str]) -> dict[str, Any]:
    return {
        "value": value,
        "facts": 3,
        "cells": [{"dimensions": {"department": name}, "value": amount} for name, amount in cells.items()],
    }


async def lines(answer: dict[str, Any], expected: dict[str, Figure]) -> list[Line]:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=CATALOGUE if request.url.path == "/v1/indicators" else answer)

    async with httpx.AsyncClient(base_url="http://impact", transport=httpx.MockTransport(respond)) as impact:
        return await compare(impact, expected, municipality="621", as_of=DAY, known_on=DAY)


def f1(whole: int, **cells: int) -> dict[str, Figure]:
    return {"F1": Figure(Value(Decimal(whole)), {"department": {name: Value(Decimal(n)) for name, n in cells.items()}})}


async def test_what_agrees_agrees_however_it_is_written() -> None:
    found = await lines(figure("2.000000", {"Senior": "2", "Teknik": "0"}), f1(2, Senior=2))

    assert [(line.cut, line.cell, line.agrees, line.facts) for line in found] == [
        ("", "", True, 3),
        ("department", "Senior", True, None),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        figure("3", {"Senior": "2"}),
        figure("2", {"Senior": "1"}),
        figure("2", {}),
        figure("2", {"Senior": "2", "Teknik": "1"}),
        figure(None, {"Senior": "2"}),
    ],
    ids=["another whole", "another cell", "a cell missing", "a cell too many", "no data"],
)
async def test_every_difference_is_seen(answer: dict[str, Any]) -> None:
    assert [line for line in await lines(answer, f1(2, Senior=2)) if not line.agrees]


async def test_a_ratio_must_agree_above_and_below_the_line_too() -> None:
    (line, *_) = await lines(
        figure("0.5", {}) | {"numerator": "50000001", "denominator": "100000000"},
        {"F1": Figure(Value(Decimal("0.5"), Decimal(50_000_000), Decimal(100_000_000)), {"department": {}})},
    )

    assert not line.agrees
    assert str(line).endswith("0.5 = 50000001 / 100000000, expected 0.5 = 50000000 / 100000000")


async def test_none_of_some_is_a_share_that_must_be_answered() -> None:
    share = Value(Decimal(0), Decimal(0), Decimal(3))
    answer = figure("0", {}) | {"numerator": "0", "denominator": "3"}
    cell = answer | {"dimensions": {"department": "Senior"}}
    empty = {"value": None, "numerator": "0", "denominator": "0", "dimensions": {"department": "Teknik"}}
    expected = {"F1": Figure(share, {"department": {"Senior": share}})}

    assert [line.agrees for line in await lines(answer | {"cells": [cell, empty]}, expected)] == [True, True]
    assert [line.agrees for line in await lines(answer | {"cells": [empty]}, expected)] == [True, False]


async def test_a_difference_says_what_when_and_how_much() -> None:
    found = await lines(figure("2", {"Senior": "1"}), f1(2, Senior=2))

    assert str(found[1]) == "621 F1 department=Senior as of 2025-12-31, as known on 2025-12-31: 1, expected 2"


async def test_a_figure_without_an_expectation_is_not_passed_over() -> None:
    with pytest.raises(NotCovered, match=r"the same cuts of F1$"):
        await lines(figure("2", {}), {})


async def test_a_cut_without_an_expectation_is_not_passed_over() -> None:
    with pytest.raises(NotCovered, match=r"the same cuts of F1$"):
        await lines(figure("2", {}), {"F1": Figure(Value(Decimal(2)), {})})
