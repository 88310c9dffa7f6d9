"""What a caseworker reads about payroll is all that the service may say."""

from pathlib import Path
from typing import get_args

from flexjob_pool.domain.payroll.reasons import Difference
from flexjob_pool.domain.payroll.reconcile import Status

PAGE = (Path(__file__).parents[2] / "docs" / "payroll.md").read_text()


def test_every_status_and_every_reason_is_explained() -> None:
    said = {*get_args(Status), *(kind().code for kind in Difference.__subclasses__())}
    assert {name for name in said if f"`{name}`" not in PAGE} == set()
