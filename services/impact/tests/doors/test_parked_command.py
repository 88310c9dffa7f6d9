"""`kraftcenter parked` against running doors: lists, decisions, and one clear message for everything that is wrong."""

import asyncio
import json
from functools import partial

import pytest
import uvicorn
from fastapi import FastAPI

from chassis.database import Pool
from contracts.catalogue import BY_TYPE
from impact import parked_commands
from local.waiting import until
from services.impact.tests.doors.commandline import Bearing, Kraftcenter, Said
from services.impact.tests.doors.small_life import Admit


@pytest.fixture
def kraftcenter(commandline: Kraftcenter) -> Kraftcenter:
    return partial(commandline, "parked", columns=200)


@pytest.fixture
async def at(bearing: Bearing) -> tuple[str, ...]:
    """The options that lead to the doors, with a token that may decide."""
    return await bearing("ledger", "admin")


@pytest.fixture
async def starts(admit: Admit, a_start: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    """Two starts of a type that is known by now, and one that never is; gives the lane's position."""
    with monkeypatch.context() as before:
        before.delitem(BY_TYPE, "dk.kraftcenter.flexjob.started.v1")
        others = [a_start.replace(b'"a-start"', b'"b-start"'), a_start.replace(b"started.v1", b"started.v9")]
        return await admit(a_start, others[0], others[1].replace(b'"a-start"', b'"c-start"'))


def cells(said: Said, *, beginning: str) -> list[str]:
    """The cells of a table's line."""
    (found,) = (row for row in said.out.splitlines() if row.strip("│ ").startswith(f"{beginning} "))
    return [cell.strip() for cell in found.strip("│").split("│")]


@pytest.mark.usefixtures("starts")
async def test_what_is_parked_stands_in_a_table(kraftcenter: Kraftcenter, at: tuple[str, ...]) -> None:
    said = await kraftcenter("list", *at)

    assert (said.code, said.err) == (0, "3 parked.\n")
    assert cells(said, beginning="2")[:2] == ["2", "unknown_type"]
    assert "b-start" in said.out


async def test_nothing_parked_is_told(kraftcenter: Kraftcenter, at: tuple[str, ...]) -> None:
    assert await kraftcenter("list", *at) == Said(0, "", "Nothing is parked.\n")
    assert await kraftcenter("replay", "--all", *at) == Said(0, "", "Nothing is parked.\n")
    assert json.loads((await kraftcenter("list", "--json", *at)).out) == {"items": []}


@pytest.mark.usefixtures("starts")
async def test_more_than_a_page_is_listed_and_replayed_whole(
    kraftcenter: Kraftcenter, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked_commands, "AT_ONCE", 1)

    listed = json.loads((await kraftcenter("list", "--json", "--reason", "unknown_type", *at)).out)["items"]
    said = await kraftcenter("replay", "--all", "--reason", "unknown_type", "--json", *at)

    assert [item["position"] for item in listed] == [1, 2, 3]
    states = [(item["position"], item["state"]) for item in json.loads(said.out)["items"]]
    assert states == [(1, "replayed"), (2, "replayed"), (3, "parked")]
    assert (said.code, said.err.strip()) == (1, "1 of 3 stay parked.")


@pytest.mark.usefixtures("starts")
async def test_chosen_facts_are_replayed(kraftcenter: Kraftcenter, at: tuple[str, ...], pool: Pool) -> None:
    said = await kraftcenter("replay", "2", "1", "2", "--why", "type_released", *at)

    assert (said.code, said.err) == (0, "2 replayed.\n")
    assert cells(said, beginning="1") == ["1", "replayed", "", "counted", "4"]
    whys = await pool.fetch("SELECT detail FROM audit")
    assert [row["detail"]["why"] for row in whys] == ["type_released"] * 2


@pytest.mark.usefixtures("starts")
async def test_one_fact_is_shown_with_its_data_and_what_was_tried(
    kraftcenter: Kraftcenter, at: tuple[str, ...]
) -> None:
    await kraftcenter("replay", "3", *at)
    said = await kraftcenter("show", "3", *at)

    assert said.code == 0
    assert said.out.startswith("Position 3: parked (unknown_type)\n  replay at position 4, ")
    assert json.loads(said.out[said.out.index("{") :])["data"]["department"] == "Senior"
    assert json.loads((await kraftcenter("show", "3", "--json", *at)).out)["position"] == 3


@pytest.mark.usefixtures("starts")
async def test_a_fact_is_discarded_only_when_that_is_confirmed(kraftcenter: Kraftcenter, at: tuple[str, ...]) -> None:
    for answers in ("n\n", ""):
        said = await kraftcenter("discard", "1", "--why", "test_event", *at, answers=answers)
        assert (said.code, said.out.strip()) == (1, "")
        assert "Give up the fact that was parked at position 1 for good?" in said.err
    assert (await kraftcenter("list", *at)).err == "3 parked.\n"

    confirmed = await kraftcenter("discard", "1", "--why", "test_event", *at, answers="y\n")
    unasked = await kraftcenter("discard", "2", "--why", "test_event", "--yes", *at)

    assert (confirmed.code, confirmed.out.strip()) == (0, "Position 1 is discarded.")
    assert unasked == Said(0, "Position 2 is discarded.\n", "")
    assert (await kraftcenter("list", *at)).err == "1 parked.\n"


@pytest.mark.usefixtures("starts")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("list", "--reason", "bad_weather"), 1, "reason: must be one of"),
        (("show", "99"), 1, "nothing was parked here"),
        (("show", "0"), 2, "should be greater than or equal to 1"),
        (("show", "x"), 2, "should be a valid integer"),
        (("show",), 2, "Missing argument"),
        (("replay",), 2, "give either positions, or --all"),
        (("replay", "1", "--all"), 2, "give either positions, or --all"),
        (("replay", "1", "--reason", "unknown_type"), 2, "give either positions, or --all"),
        (("replay", "0"), 2, "should be greater than or equal to 1"),
        (("replay", "1", "99"), 1, "/positions/1: nothing was parked here"),
        (("replay", "1", "--why", "0101651234"), 1, "/reason: holds a personal number"),
        (("replay", "1", "--why", "\udcff"), 1, "bytes that are no text"),
        (("replay", "9223372036854775808"), 1, "/positions/0: must be at most"),
        (("discard", "1", "--yes"), 2, "Missing option '--why'"),
        (("discard", "99", "--why", "x", "--yes"), 1, "nothing was parked here"),
        (("discard", "1", "2", "--why", "x", "--yes"), 2, "unexpected extra argument"),
        (("lsit",), 2, "No such command"),
    ],
)
async def test_a_wrong_command_ends_as_one_message(
    kraftcenter: Kraftcenter, at: tuple[str, ...], arguments: tuple[str, ...], code: int, message: str
) -> None:
    options = () if arguments == ("lsit",) else at
    said = await kraftcenter(*arguments, *options)

    assert (said.code, said.out) == (code, "")
    assert message in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert (await kraftcenter("list", *at)).err == "3 parked.\n"


async def test_without_a_token_or_without_impact_that_is_told(kraftcenter: Kraftcenter, url: str) -> None:
    unknown = await kraftcenter("list", "--url", url)
    nobody = await kraftcenter("replay", "1", "--url", "http://127.0.0.1:9")

    assert (unknown.code, nobody.code) == (1, 1)
    assert "valid token" in unknown.err
    assert "No answer from" in nobody.err


async def test_something_that_is_not_impact_is_told(kraftcenter: Kraftcenter, pool: Pool) -> None:  # noqa: ARG001
    stranger = FastAPI()

    @stranger.api_route("/{path:path}", methods=["GET", "POST"])
    def other(path: str) -> list[str]:
        return [path]

    server = uvicorn.Server(uvicorn.Config(stranger, port=0, lifespan="off", log_config=None, ws="none"))
    serving = asyncio.create_task(server._serve())  # noqa: SLF001
    await until(lambda: server.started)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    told = [
        await kraftcenter(*command, "--url", address)
        for command in (("list",), ("show", "1"), ("replay", "1"), ("replay", "--all"))
    ]
    server.should_exit = True
    await serving

    assert [said.code for said in told] == [1] * 4
    assert all("not as an impact service" in said.err for said in told)


@pytest.mark.parametrize("command", ["list", "show", "replay", "discard"])
async def test_help_shows_an_example(kraftcenter: Kraftcenter, command: str) -> None:
    said = await kraftcenter(command, "--help")

    assert said.code == 0
    assert f"kraftcenter parked {command}" in " ".join(said.out.split()).partition("Example:")[2]
