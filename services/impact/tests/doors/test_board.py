"""The board: the figures that everybody may see, as people read them, and whether they can be relied on."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from chassis.calendar import calendar_of
from chassis.database import Pool
from impact.board.words import PARTS, UNITS, Writer
from impact.catalogue import INDICATORS, TRACKS, track_of
from impact.releases import release_if_due
from impact.verify.watch import verify_once
from local.simulator import set_clock
from services.impact.tests.doors.messages import message
from services.impact.tests.doors.small_life import Admit, Issue

VOID = {"meta", "link"}


class Reader(HTMLParser):
    """The text of a page, line by line, and of each row; a tag that is left open or closed twice is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.lines: list[str] = []
        self.rows: dict[str, list[str]] = {}
        self.headings: dict[str, str] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self._row = self.lines
        self._heading = ""
        self.feed(html)
        assert not self.open

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def row(self, indicator: str) -> str:
        """What the row of an indicator says behind its title, id and definition."""
        return " | ".join(self.rows[indicator][3:])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr" and (indicator := dict(attrs).get("id")):
            assert indicator not in self.rows
            self._row = self.rows[indicator] = []
            self.headings[indicator] = self._heading

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._row = self.lines if tag == "tr" else self._row

    def handle_data(self, data: str) -> None:
        if said := " ".join(data.split()):
            self.lines.append(said)
            if self._row is not self.lines:
                self._row.append(said)
            if "h2" in self.open:
                self._heading = said


Board = Callable[..., Awaitable[Reader]]


@pytest.fixture
def board(doors: httpx.AsyncClient) -> Board:
    """The page, as it is read."""

    async def board(query: str = "") -> Reader:
        answer = await doors.get(f"/{query}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return Reader(answer.text)

    return board


@pytest.mark.usefixtures("life")
async def test_a_figure_that_is_about_no_person_is_shown_live_as_danes_write_it(board: Board) -> None:
    page = await board()

    assert page.row("F5") == "59,3 % | 59.280 af 100.000 kr. | Foreløbigt | Pr. 30.06.2026"
    assert "Effekter af den sociale indsats i Kolding" in page.text


@pytest.mark.usefixtures("life")
async def test_every_indicator_stands_once_with_its_definition_under_a_track(board: Board) -> None:
    page = await board()

    assert {id_: row[:3] for id_, row in page.rows.items()} == {
        each.id: [each.title.danish, each.id, each.definition.danish] for each in INDICATORS
    }
    assert {id_: page.headings[id_] for id_ in page.rows} == {
        each.id: TRACKS[track_of(each)].danish for each in INDICATORS
    }
    assert list(dict.fromkeys(page.headings.values())) == [TRACKS[track].danish for track in ("", "T1", "T2")]


@pytest.mark.usefixtures("life")
async def test_a_figure_about_persons_is_withheld_until_it_is_released_also_from_who_may_see_it(
    doors: httpx.AsyncClient, board: Board, issue: Issue, pool: Pool, clock: str
) -> None:
    withheld = "- | Højere | Tilbageholdt af hensyn til personer | Pr. 30.06.2026"
    assert (await board()).row("F1") == withheld
    assert Reader((await doors.get("/", headers=await issue("figures:exact"))).text).row("F1") == withheld

    await release_if_due(pool, "621", calendar_of(clock), INDICATORS, trusted=True, k=1)

    released = "2 personer | Højere | Foreløbigt | Pr. 30.06.2026 | Udgivelse 1"
    assert (await board()).row("F1") == released


@pytest.mark.parametrize(
    ("indicator", "row"),
    [
        ("J1", "2 ansættelser | Højere | Foreløbigt | 01.01.2026 til og med 30.06.2026 | Udgivelse 1"),
        ("J4", "0,0 % | 0 af 1 | Højere | Foreløbigt | Alle måneder til og med 30.06.2026 | Udgivelse 1"),
        ("F4", "11,00 timer om ugen | 22,00 timer fordelt på 2 personer | Foreløbigt | Pr. 30.06.2026 | Udgivelse 1"),
        ("F8", "100,0 % | 1 af 1 | Højere | Foreløbigt | Seneste 12 måneder til og med 30.06.2026 | Udgivelse 1"),
    ],
)
@pytest.mark.usefixtures("life")
async def test_a_figure_says_over_which_days_it_was_counted_and_of_what(
    board: Board, pool: Pool, clock: str, indicator: str, row: str
) -> None:
    await release_if_due(pool, "621", calendar_of(clock), INDICATORS, trusted=True, k=1)

    assert (await board()).row(indicator) == row


@pytest.mark.usefixtures("life")
async def test_a_release_of_more_than_a_month_ago_is_called_old_whatever_else_is_fresh(
    board: Board, pool: Pool, clock: str
) -> None:
    title, calendar = "Tal om personer er højst en måned gamle", Path(clock.removeprefix("file:"))
    assert f"Vides ikke: {title}\nEndnu er intet udgivet." in (await board()).text

    await release_if_due(pool, "621", calendar_of(clock), INDICATORS, trusted=True, k=1)

    for day, told in (
        (date(2026, 7, 31), f"I orden: {title}\nDe er fra 30.06.2026."),
        (date(2026, 8, 1), f"Ikke i orden: {title}\nDe er fra 30.06.2026. Siden har færre end fem"),
    ):
        set_clock(calendar, day)
        page = await board()
        assert told in page.text
        assert page.text.count(f"Læst {day:%d.%m.%Y} kl. 10:00.") == 1


@pytest.mark.usefixtures("life")
async def test_the_page_can_be_had_in_english(board: Board) -> None:
    page = await board("?lang=en&municipality=621")

    assert "Effects of the social effort in Kolding" in page.text
    assert page.row("F5") == "59.3 % | DKK 59,280 of 100,000 | Provisional | As of 30 June 2026"
    for indicator in INDICATORS:
        assert page.rows[indicator.id][0] == indicator.title.english


async def test_before_the_first_event_nothing_is_claimed(board: Board) -> None:
    page = await board()
    text = page.text

    assert "Endnu er ingen hændelse optaget." in text
    assert "Vides ikke: Regnet efter ad en anden vej\nEr ikke sket endnu." in text
    assert "Vides ikke: Alt udsendt er nået frem\n" in text
    assert "Vides ikke: Alle systemer er hørt\n" in text
    assert page.row("F5") == "- | Ingen data | Pr. 30.06.2026"


@pytest.mark.usefixtures("life")
async def test_what_was_proven_is_said_and_so_is_what_differs(board: Board, pool: Pool, clock: str) -> None:
    await verify_once(pool, "621", calendar_of(clock), INDICATORS)
    assert re.search(r"I orden: Regnet efter ad en anden vej\n[\d.]+ sammenligninger stemmer, ", (await board()).text)

    await pool.execute("UPDATE running_sum SET amount = amount + 1 WHERE measure = 'persons_in_flexjob'")
    await verify_once(pool, "621", calendar_of(clock), INDICATORS)
    assert re.search(
        r"Ikke i orden: Regnet efter ad en anden vej\n\d+ af [\d.]+ sammenligninger afviger", (await board()).text
    )


@pytest.mark.usefixtures("life")
async def test_an_old_verification_speaks_for_nothing(board: Board, pool: Pool, clock: str) -> None:
    await verify_once(pool, "621", calendar_of(clock), INDICATORS)
    await pool.execute("UPDATE verification SET at = at - interval '1 day'")

    assert (
        "Ikke i orden: Regnet efter ad en anden vej\nSidste gang var for 24 timer siden: for længe."
        in (await board()).text
    )


async def test_an_account_that_does_not_close_is_named(board: Board, pool: Pool, admit: Admit, a_start: bytes) -> None:
    await admit(a_start)
    assert "I orden: Alt modtaget er talt ét sted\n" in (await board()).text

    await pool.execute("UPDATE lane SET deliveries = deliveries + 1")

    sign = "Ikke i orden: Alt modtaget er talt ét sted\nHolder ikke: Enhver levering er talt ét sted."
    assert sign in (await board()).text


async def test_what_is_missing_parked_or_silent_is_told(board: Board, admit: Admit) -> None:
    said = {"producer": "flexjob_pool", "published": [{"source": "urn:kraftcenter:621:flexjob_pool", "events": 3}]}
    await admit(
        message("flexjob.invented", "unknown", {}),
        message("service.heartbeat", "beat", said, time=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"),
    )
    text = (await board()).text

    assert "Ikke i orden: Alt udsendt er nået frem\n2 mangler lige nu." in text
    waits = "Ikke i orden: Intet venter på en afgørelse\nTæller ikke, før nogen har taget stilling: 1 hændelse.\n"
    assert waits in text
    assert re.search(
        r"I orden: Alle systemer er hørt\nAlt er med fra alle systemer indtil (lige nu|for \d+ sekunder siden)\.", text
    )


@pytest.mark.parametrize(("sent", "received"), [("1 hour", "1 hour"), ("1 hour", "1 second")])
async def test_a_producer_that_is_silent_or_late_is_named_and_its_name_is_no_markup(
    doors: httpx.AsyncClient, board: Board, pool: Pool, sent: str, received: str
) -> None:
    await pool.execute("INSERT INTO lane (municipality, recorded_at) VALUES ('621', now())")
    await pool.execute(
        "INSERT INTO heartbeat (municipality, producer, source, published, sent_at, received_at)"
        " VALUES ('621', '<b>x', 'urn:kraftcenter:621:x', 0, now() - $1::text::interval, now() - $2::text::interval)",
        sent,
        received,
    )

    assert "Ikke i orden: Alle systemer er hørt\nTavse eller forsinkede: <b>x." in (await board()).text
    assert "<b>x" not in (await doors.get("/")).text


@pytest.mark.parametrize("query", ["?municipality=630", "?municipality=<b>", "?lang=fr"])
async def test_what_cannot_be_shown_is_refused_and_not_repeated(doors: httpx.AsyncClient, query: str) -> None:
    answer = await doors.get(f"/{query}")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert query.partition("=")[2] not in answer.text


async def test_the_page_runs_nothing_and_fetches_nothing_from_elsewhere(doors: httpx.AsyncClient) -> None:
    answer = await doors.get("/")
    reader = Reader(answer.text)

    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not [name for name, _ in reader.attributes if name == "style" or name.startswith("on")]
    assert not [text for name, text in reader.attributes if name in {"src", "href"} and "//" in str(text)]
    assert (await doors.get("/board.css")).headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    ("language", "value", "unit", "written"),
    [
        ("da", "1234.5", "persons", "1.235 personer"),
        ("da", "0.66666", "share", "66,7 %"),
        ("da", "12.345", "hours_per_week", "12,35 timer om ugen"),
        ("en", "1234567", "placements", "1,234,567 placements"),
        ("en", "-0.005", "fte", "-0.01 FTE"),
        ("da", "-0.004", "fte", "0,00 årsværk"),
        ("da", "17.5", "days", "17,5 dage"),
    ],
)
def test_a_number_is_written_as_the_language_does(language: str, value: str, unit: str, written: str) -> None:
    assert Writer("da" if language == "da" else "en").amount(Decimal(value), unit) == written


@pytest.mark.parametrize(
    ("ago", "danish", "english"),
    [
        (-3, "lige nu", "just now"),
        (119, "for 119 sekunder siden", "119 seconds ago"),
        (120, "for 2 minutter siden", "2 minutes ago"),
        (86400, "for 24 timer siden", "24 hours ago"),
        (3 * 86400, "for 3 dage siden", "3 days ago"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_of_which_there_are_two(ago: int, danish: str, english: str) -> None:
    assert (Writer("da").ago(timedelta(seconds=ago)), Writer("en").ago(timedelta(seconds=ago))) == (danish, english)


def test_every_unit_of_the_catalogue_can_be_written() -> None:
    assert {indicator.unit for indicator in INDICATORS} <= {*UNITS, "share"}
    means = [each for each in INDICATORS if each.denominator and each.reading == "sum" and each.unit != "share"]
    assert {measure.unit for mean in means for measure in mean.measures} <= PARTS.keys()
