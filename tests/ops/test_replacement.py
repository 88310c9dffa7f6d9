"""Each service is replaced by a newer version of itself, from wheels of its own, while a town lives; and back again."""

import re
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from random import Random

import asyncpg
import pytest

from local.instances import SERVICES
from local.plan.towns import KOLDING
from local.plan.year import plan_year
from local.stack import SWEEP_SECONDS
from tests.faults import books
from tests.faults.towns import first_day, town_on
from tests.faults.versions import NEWER, comes_back, joined, makes_way, version_at
from tests.ops.cluster import ROOT, output_of
from tests.ops.installation import installed

SEED, PEOPLE = 2031, 400
# What each service writes all the time.
TABLES = {"flexjob_pool": "outbox", "gateway": "admitted", "impact": "ledger"}
MIGRATION = """
ALTER TABLE {table} ADD COLUMN note text DEFAULT 'newer';
CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, told text NOT NULL);
"""
NAME = "9000_note.sql"

pytestmark = pytest.mark.timeout(600)


def uv(*arguments: str | Path) -> None:
    """Run the project's uv."""
    output_of([ROOT / ".boot" / "bin" / "uv", "--quiet", *arguments])


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The sources of a newer version of every service, each with a migration more."""
    sources = tmp_path / "newer"
    shutil.copytree(ROOT, sources, ignore=shutil.ignore_patterns(".*", "build", "tests", "docs", "__pycache__"))
    for service, table in TABLES.items():
        home = sources / "services" / service
        manifest = home / "pyproject.toml"
        manifest.write_text(re.sub(r'(?m)^version = ".+"$', f'version = "{NEWER}"', manifest.read_text(), count=1))
        (home / "src" / service / "migrations" / NAME).write_text(MIGRATION.format(table=table))
    return sources


def distribution(service: str) -> str:
    """The name of its wheel."""
    return f"kraftcenter-{service.replace('_', '-')}"


def installed_from(sources: Path, folder: Path, versions: dict[str, str]) -> dict[str, list[str]]:
    """How each service is started from an environment that holds nothing but its wheel and what that stands on."""
    wheels, locked = folder / "wheels", folder / "locked.txt"
    uv("build", "--directory", sources, "--all-packages", "--wheel", "--out-dir", wheels)
    export = ("export", "--frozen", "--all-packages", "--no-dev", "--no-hashes", "--no-emit-workspace")
    uv(*export, "--directory", ROOT, "--output-file", locked)
    commands = {}
    for service, number in versions.items():
        python = folder / service / "bin" / "python"
        uv("venv", "--python", sys.executable, folder / service)
        into = ("--python", python, "--find-links", wheels, "--constraints", locked)
        uv("pip", "install", *into, f"{distribution(service)}=={number}")
        commands[service] = [str(python), "-m", service]
    return commands


async def applied(dsn: str) -> set[str]:
    """The migrations that a database has had."""
    db = await asyncpg.connect(dsn)
    try:
        return {row["name"] for row in await db.fetch("SELECT name FROM migration")}
    finally:
        await db.close()


async def test_each_service_is_replaced_and_put_back_while_a_town_lives(
    newer: Path, secrets: Path, tmp_path: Path
) -> None:
    today = {service: version(distribution(service)) for service in SERVICES}
    old = installed_from(ROOT, tmp_path / "old", today)
    new = installed_from(newer, tmp_path / "new", dict.fromkeys(SERVICES, NEWER))
    clock, dice = tmp_path / "clock", Random(SEED)  # noqa: S311 - a repeatable test, no secret
    variables = first_day(clock) | {"FLEXJOB_POOL_SWEEP_SECONDS": SWEEP_SECONDS}
    async with (
        installed(tmp_path / "stack", secrets, commands=old, variables=variables) as stack,
        town_on(stack, plan_year(SEED, KOLDING, PEOPLE), clock=clock) as town,
    ):
        for service in SERVICES:
            async with town.busy():
                await town.registered(20)
                async with joined(town, service, command=new[service], version=NEWER) as port:
                    await makes_way(town, dice, service, port)
                    await comes_back(town, dice, service, port)
                await town.registered(20)
            await books.check(town)
            assert await version_at(stack.ports[service]) == today[service]
            assert NAME in await applied(stack.database_urls[service])
