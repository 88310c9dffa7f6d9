"""A definition comes into force once its figures are proven, and stays proven."""

from dataclasses import replace
from decimal import Decimal

import pytest

from chassis.database import Connection, Pool
from impact.entries.workforce import HEADCOUNT
from impact.verify import drift
from impact.verify.proofs import Asked, Cell, prove
from impact.verify.watch import proven
from services.impact.tests.definitions.second_version import (
    BEFORE_E1,
    BOTH,
    CATALOGUE_WITH_SECOND,
    LATER,
    LIFE,
    MEASURES,
    SECOND,
    WITH_SECOND,
    answer,
    bring_in,
    differing,
    in_force,
    put_in_force,
    unable,
    verified,
)


async def test_figures_of_a_new_measure_that_are_not_proven_keep_it_out(pool: Pool) -> None:
    await bring_in(pool, LIFE, BEFORE_E1)
    blind = replace(HEADCOUNT, rule=lambda _: ())

    await put_in_force(pool, [*BEFORE_E1, blind], proven("621"))

    assert (HEADCOUNT.id, 1) not in await in_force(pool)
    assert await bring_in(pool, LATER, [*BEFORE_E1, blind], after=len(LIFE)) == len(LIFE) + 1
    assert await differing(pool, BEFORE_E1) == []


async def test_figures_of_a_second_version_that_are_not_proven_keep_it_out(life: Pool) -> None:
    """F1 is proven by its first definition alone."""
    await put_in_force(life, WITH_SECOND, proven("621", CATALOGUE_WITH_SECOND))

    assert (SECOND.id, 2) not in await in_force(life)
    assert await answer(life, BOTH) == (1, 2)


@pytest.fixture
def fixed_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof of F1 as the second version has it, beside that of the first."""

    async def fixed(db: Connection, name: str, asked: Asked) -> dict[Cell, tuple[Decimal, Decimal]]:
        proof = await prove(db, name.removesuffix(".v2"), asked)
        times = 2 if name == "F1.v2" else 1
        return {cell: (times * over, under) for cell, (over, under) in proof.items()}

    monkeypatch.setattr(drift, "prove", fixed)


@pytest.mark.usefixtures("fixed_proof")
async def test_a_second_version_with_its_proof_comes_into_force_and_stays_proven(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND, proven("621", CATALOGUE_WITH_SECOND))
    assert (await in_force(life))[SECOND.id, 2] == len(LIFE) + 1

    assert await verified(life) == [], "before another fact has come"
    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))
    assert await verified(life) == []


@pytest.mark.usefixtures("fixed_proof")
async def test_every_version_that_is_kept_is_compared_with_its_own_proof(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND, proven("621", CATALOGUE_WITH_SECOND))
    for version in (1, 2):
        edit = "UPDATE running_sum SET amount = amount + $1 WHERE measure = $2 AND definition_version = $3"
        await life.execute(edit, 1, SECOND.id, version)
        assert f"F1.v{version}".removesuffix(".v1") in {row["indicator"] for row in await verified(life)}
        await life.execute(edit, -1, SECOND.id, version)


@pytest.mark.usefixtures("fixed_proof")
async def test_a_second_version_that_is_refused_leaves_the_first_proven(life: Pool) -> None:
    await put_in_force(life, [*MEASURES, replace(SECOND, rule=unable)], proven("621", CATALOGUE_WITH_SECOND))
    assert (SECOND.id, 2) not in await in_force(life)

    assert await verified(life, retell=True) == []


async def test_a_version_that_is_kept_and_has_no_proof_is_drift(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)

    found = await verified(life)

    assert {(row["indicator"], row["cell"].get("missing_proof")) for row in found} == {("F1.v2", "F1.v2")}
