"""`kraftcenter figures` against running doors: a table, JSON, and one clear message for every wrong input."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI, Response

from impact.catalogue import INDICATORS
from services.impact.tests.doors.commandline import Kraftcenter, served
from services.impact.tests.doors.small_life import Issue


@pytest.fixture
def kraftcenter(commandline: Kraftcenter) -> Kraftcenter:
    return partial(commandline, "figures", columns=120)


@pytest.fixture
async def stranger() -> AsyncIterator[str]:
    """The address of something that is not impact, and answers everything with the same."""
    app = FastAPI()

    @app.get("/html/{path:path}")
    def html(path: str) -> Response:
        return Response(f"<html>{path}</html>", media_type="text/html")

    @app.get("/json/{path:path}")
    def other(path: str) -> list[str]:
        return [path]

    async with served(app) as address:
        yield address


@pytest.fixture
async def token_file(issue: Issue, tmp_path: Path) -> str:
    """A file with a token that may see exact figures."""
    file = tmp_path / "token"
    header = await issue("figures:exact")
    file.write_text(header["Authorization"].removeprefix("Bearer ") + "\n")
    return str(file)


@pytest.mark.usefixtures("life")
async def test_all_figures_stand_in_one_table(kraftcenter: Kraftcenter, url: str, token_file: str) -> None:
    said = await kraftcenter("--url", url, "--token-file", token_file)

    assert (said.code, said.err) == (0, "")
    rows = {line.split("│")[1].strip(): line for line in said.out.splitlines() if "│" in line}
    assert list(rows) == [indicator.id for indicator in INDICATORS]
    assert "0.5928" in rows["F5"]
    assert "As of 2026-06-30, as known at position 9." in said.out


@pytest.mark.usefixtures("life")
async def test_a_cut_shows_its_cells_under_the_whole(kraftcenter: Kraftcenter, url: str, token_file: str) -> None:
    said = await kraftcenter("F1", "--by", "department", "--url", url, "--token-file", token_file)

    rows = [line.split("│") for line in said.out.splitlines() if "provisional" in line]
    assert [(row[3].strip(), row[4].strip()) for row in rows] == [("all", "2"), ("Senior", "1"), ("Teknik", "1")]


@pytest.mark.usefixtures("life")
async def test_a_cut_by_two_dimensions_has_a_column_for_each(
    kraftcenter: Kraftcenter, url: str, token_file: str
) -> None:
    said = await kraftcenter("J1", "--by", "kind,partner", "--url", url, "--token-file", token_file)

    rows = [line.split("│") for line in said.out.splitlines() if "provisional" in line]
    assert [[cell.strip() for cell in row[3:6]] for row in rows] == [["all", "all", "2"], ["flexjob", "no", "2"]]


@pytest.mark.usefixtures("life")
async def test_a_figure_is_told_over_a_period_and_as_known_then(
    kraftcenter: Kraftcenter, url: str, token_file: str
) -> None:
    question = ("F1", "--from", "2026-04-01", "--to", "2026-05-01", "--known-as-of", "7", "--definition-version", "1")
    said = await kraftcenter(*question, "--url", url, "--token-file", token_file)

    rows = [line.split("│") for line in said.out.splitlines() if "provisional" in line]
    assert rows[0][3].strip() == "3"
    assert "As of 2026-04-30, from 2026-04-01 to 2026-05-01, as known at position 7." in " ".join(said.out.split())


@pytest.mark.usefixtures("life")
async def test_json_is_what_the_service_answers(kraftcenter: Kraftcenter, url: str, token_file: str) -> None:
    said = await kraftcenter("F1", "--as-of", "2026-04-30", "--json", "--url", url, "--token-file", token_file)

    assert (json.loads(said.out)["value"], json.loads(said.out)["as_of"]) == ("3", "2026-04-30")


@pytest.mark.usefixtures("life")
async def test_what_is_suppressed_is_told_beside_the_table(kraftcenter: Kraftcenter, url: str) -> None:
    said = await kraftcenter("--url", url)

    assert said.code == 0
    assert said.out.count("suppressed") == len([indicator for indicator in INDICATORS if indicator.about_persons])
    assert "--token-file" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("F99",), 1, "GET /v1/indicators lists every id."),
        (("",), 1, "There is nothing at this address."),
        (("F1/../../x",), 1, ""),
        (("F1", "--as-of", "yesterday"), 1, "as_of: must be a date, YYYY-MM-DD"),
        (("F1", "--as-of", ""), 1, "as_of: must be a date, YYYY-MM-DD"),
        (("F1", "--as-of", "1989-12-31"), 1, "as_of: must be from 1990-01-01"),
        (("F1", "--by", "colour"), 1, "by: must be one of: department"),
        (("--by", "department"), 1, "by: does not exist here"),
        (("F1", "--known-as-of", "yesterday"), 1, "known_as_of: must be an RFC 3339 instant"),
        (("F1", "--definition-version", "x"), 1, "definition_version: must be one of: 1"),
        (("F1", "--to", "2026-01-01"), 1, "from: must be given beside to"),
        (("F1", "--municipality", "999"), 1, "municipality: must be one of: 621"),
        (("F1", "--as-of", "\udcff"), 1, "bytes that are no text"),
        (("F1", "F4"), 2, "unexpected extra argument"),
        (("--asof", "2026-01-01"), 2, "No such option"),
        (("--as-of",), 2, "requires an argument"),
    ],
)
async def test_a_wrong_question_ends_as_one_message(
    kraftcenter: Kraftcenter, app: FastAPI, arguments: tuple[str, ...], code: int, message: str
) -> None:
    async with served(app) as url:
        said = await kraftcenter("--url", url, *arguments)

        assert (said.code, said.out) == (code, "")
        assert message in " ".join(said.err.split())
        assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Cannot read the token file"),
        (b"", "holds no token"),
        (b"two words", "holds no token"),
        (b"two\nlines", "holds no token"),
        ("nøgle".encode(), "holds no token"),
        (b"\x00\x01", "holds no token"),
        (b"kc_unknown", "valid token"),
    ],
)
async def test_a_token_file_that_holds_no_good_token_is_told(
    kraftcenter: Kraftcenter, url: str, tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "given"
    if content is not None:
        file.write_bytes(content)

    said = await kraftcenter("--url", url, "--token-file", str(file))

    assert (said.code, said.out) == (1, "")
    assert message in " ".join(said.err.split())
    assert "Traceback" not in said.err


async def test_a_folder_is_no_token_file(kraftcenter: Kraftcenter, tmp_path: Path) -> None:
    said = await kraftcenter("--token-file", str(tmp_path))

    assert (said.code, said.out) == (1, "")
    assert "Cannot read the token file" in said.err


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:9", "No answer from"),
        ("http://no-such-host.invalid", "No answer from"),
        ("127.0.0.1:8604", "is not an address"),
        ("ftp://127.0.0.1", "is not an address"),
        ("http://127.0.0.1:notaport", "is not an address"),
        ("", "is not an address"),
    ],
)
async def test_an_address_without_impact_is_told(kraftcenter: Kraftcenter, url: str, message: str) -> None:
    said = await kraftcenter("--url", url)

    assert (said.code, said.out) == (1, "")
    assert message in said.err
    assert "Traceback" not in said.err


async def test_something_that_is_not_impact_is_told(kraftcenter: Kraftcenter, stranger: str) -> None:
    for path in ("html", "json"):
        said = await kraftcenter("--url", f"{stranger}/{path}")

        assert (said.code, said.out) == (1, "")
        assert "not as an impact service" in said.err


async def test_help_shows_examples(kraftcenter: Kraftcenter) -> None:
    said = await kraftcenter("--help")

    assert said.code == 0
    assert "kraftcenter figures F1 --by department" in " ".join(said.out.split())
