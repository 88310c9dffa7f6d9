"""`kraftcenter ledger` against running doors: tables, JSON, an exit code that says whether all is accounted for."""

import json
from functools import partial

import pytest

from chassis.database import Pool
from contracts.platform import Published, ServiceHeartbeat
from services.impact.tests.doors.commandline import Bearing, Kraftcenter, Said
from services.impact.tests.doors.small_life import Admit

SOURCE = "urn:kraftcenter:621:flexjob_pool"
ALL_PUBLISHED = ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=9),))
MORE_PUBLISHED = ServiceHeartbeat(producer="flexjob_pool", published=(Published(source=SOURCE, events=10),))


@pytest.fixture
def kraftcenter(commandline: Kraftcenter) -> Kraftcenter:
    return partial(commandline, "ledger", columns=160)


@pytest.fixture
async def at(bearing: Bearing) -> tuple[str, ...]:
    """The options that lead to the doors, with a token that may read the ledger."""
    return await bearing("ledger")


def line(said: Said, *, beginning: str) -> list[str]:
    """The cells of a table's line."""
    (found,) = (row for row in said.out.splitlines() if row.strip("│ ").startswith(beginning) and "│" in row[1:])
    return [cell.strip() for cell in found.strip("│").split("│")]


@pytest.mark.usefixtures("life")
async def test_an_account_that_closes_is_three_tables_and_a_verdict(
    kraftcenter: Kraftcenter, at: tuple[str, ...], admit: Admit
) -> None:
    await admit(ALL_PUBLISHED, b"noise")
    said = await kraftcenter(*at)

    assert (said.code, said.err) == (0, "")
    assert line(said, beginning="EVENTS_621_FLEXJOB_POOL")[1:] == ["10", "9", "0", "0", "1"]
    complete = [row for row in said.out.splitlines() if "complete" in row and SOURCE in row]
    assert len(complete) == 1
    assert "at position 9: every one closes. Everything that was published has arrived." in said.out


@pytest.mark.usefixtures("life")
async def test_json_is_what_the_service_answers(kraftcenter: Kraftcenter, at: tuple[str, ...], admit: Admit) -> None:
    await admit(ALL_PUBLISHED)
    said = await kraftcenter("--json", "--thorough", "--municipality", "621", *at)

    assert said.code == 0
    answer = json.loads(said.out)
    assert (answer["balanced"], answer["complete"], answer["thorough"], answer["position"]) == (True, True, True, 9)


@pytest.mark.usefixtures("life")
async def test_a_row_that_is_gone_fails_the_thorough_command_alone(
    kraftcenter: Kraftcenter, at: tuple[str, ...], admit: Admit, pool: Pool
) -> None:
    await admit(ALL_PUBLISHED)
    await pool.execute("DELETE FROM history WHERE position = 5 AND kind = 'person'")

    assert (await kraftcenter(*at)).code == 0
    said = await kraftcenter("--thorough", *at)

    assert said.code == 1
    assert "not every one closes" in said.out
    assert "histories [person]: keys in the raw bodies: 5; history rows: 4; 1 rows differ" in said.err


@pytest.mark.usefixtures("life")
async def test_what_has_not_arrived_fails_the_command(
    kraftcenter: Kraftcenter, at: tuple[str, ...], admit: Admit
) -> None:
    await admit(MORE_PUBLISHED)
    said = await kraftcenter("--json", *at)

    assert (said.code, json.loads(said.out)["complete"]) == (1, False)
    assert f"completeness [{SOURCE}]" in said.err


@pytest.mark.usefixtures("life")
async def test_a_source_without_a_heartbeat_is_told_beside_the_tables(
    kraftcenter: Kraftcenter, at: tuple[str, ...]
) -> None:
    said = await kraftcenter(*at)

    assert said.code == 0
    assert "cannot be told" in said.out
    assert f"{SOURCE}: 9 events, and no heartbeat" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--municipality", "Kolding"), 1, "municipality: must match"),
        (("--municipality", ""), 1, "municipality: must match"),
        (("--municipality", "751"), 1, "another municipality"),
        (("--municipality", "\udcff"), 1, "bytes that are no text"),
        (("--url", "nowhere"), 1, "is not an address"),
        (("--url", "http://127.0.0.1:9"), 1, "No answer from"),
        (("--token-file", "/nowhere"), 1, "Cannot read the token file"),
        (("--token-file", "/dev/null"), 1, "holds no token"),
        (("--thoroughly",), 2, "No such option"),
        (("621",), 2, "unexpected extra argument"),
    ],
)
async def test_a_wrong_command_ends_as_one_message(
    kraftcenter: Kraftcenter, at: tuple[str, ...], arguments: tuple[str, ...], code: int, message: str
) -> None:
    said = await kraftcenter(*at, *arguments)

    assert (said.code, said.out) == (code, "")
    assert message in " ".join(said.err.split())
    assert "Traceback" not in said.err


async def test_without_a_token_the_command_says_what_it_needs(kraftcenter: Kraftcenter, url: str) -> None:
    said = await kraftcenter("--url", url)

    assert (said.code, said.out) == (1, "")
    assert "token" in said.err


async def test_help_shows_examples(kraftcenter: Kraftcenter) -> None:
    said = await kraftcenter("--help")

    assert said.code == 0
    assert "kraftcenter ledger --thorough" in " ".join(said.out.split())
