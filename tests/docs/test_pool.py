"""What a caseworker reads about the pool is all that may be registered there, and all that may not be undone."""

from pathlib import Path

from flexjob_pool.domain.refusals import Refusal, story
from flexjob_pool.doors.nouns import NOUNS

PAGE = (Path(__file__).parents[2] / "docs" / "pool.md").read_text(encoding="utf-8")


def test_every_door_of_a_noun_is_told() -> None:
    for noun in [one for one in NOUNS if one.asks]:
        [row] = [line for line in PAGE.splitlines() if f"| `{noun.path}`" in line]
        doors = [below.rpartition("/")[2] for below in noun.asks if below]
        assert [door for door in doors if f"/{door}`" not in row] == [], noun.path


def test_every_reason_against_undoing_is_explained() -> None:
    reasons = [kind for kind in vars(story).values() if isinstance(kind, type) and kind.__module__ == story.__name__]
    codes = {kind.__new__(kind).code for kind in reasons if issubclass(kind, Refusal)}

    assert len(codes) > 5
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
