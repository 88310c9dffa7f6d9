"""The HTTP doors of the flexjob pool: each hands what is asked to one use case, and tells a refusal as a problem."""

from functools import cache

from fastapi import APIRouter

from flexjob_pool.doors import events, extra, payroll
from flexjob_pool.doors.building import build
from flexjob_pool.doors.nouns import NOUNS, PLACES


@cache
def routers() -> tuple[APIRouter, ...]:
    """Every door of the service."""
    return extra.router, events.router, payroll.router, *(build(noun, PLACES) for noun in NOUNS)
