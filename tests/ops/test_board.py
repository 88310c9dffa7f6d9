"""The board in a real browser: what it looks like, and that everybody can read and use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright

from local.hall import halls
from local.plan.chance import DAYS
from local.plan.towns import KOLDING
from local.plan.year import plan_year
from local.simulator import live_day, set_clock
from local.stack import running_stack
from local.waiting import until
from tests.ops.cluster import ROOT

# Enough for figures of every status, and for the picture to be of a town that nobody could be read out of.
PEOPLE = 300
LIVED = DAYS[:120]
PICTURE = ROOT / "build" / "board.png"
# Nothing but the page itself.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@asynccontextmanager
async def board_of_a_town(folder: Path) -> AsyncIterator[str]:
    """Where the board of a town is, once it shows released and proven figures."""
    clock = folder / "clock"
    set_clock(clock, DAYS[0])
    settings = {"CLOCK": f"file:{clock}", "IMPACT_VERIFY_SECONDS": "2", "IMPACT_RELEASE_SECONDS": "1"}
    year = plan_year(1, KOLDING, PEOPLE)
    async with running_stack(folder / "stack", settings=settings) as stack, halls(stack, [year]) as (town,):
        for day in LIVED:
            await live_day([town.office], day, clock=clock)
        await town.office.pipeline.counted()
        url = stack.url_of("impact")
        async with httpx.AsyncClient() as client:

            async def settled() -> bool:
                text = (await client.get(url)).text
                return "<small>Udgivelse " in text and text.count('<li class="well">') == text.count("<li class=")

            await until(settled, seconds=90, message="the board never shows released and proven figures")
        yield url


@asynccontextmanager
async def browser_at(url: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page in Chromium, and all that went wrong on it: errors, and requests that were refused or failed."""
    wrong: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=which("chromium"), args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": 1100, "height": 900})
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(request.url))
        await page.goto(url)
        yield page, wrong
        await browser.close()


async def barriers(page: Page) -> list[str]:
    """What keeps somebody from reading or using the page, by the rules of WCAG 2.1 A and AA."""
    found = await Axe().run(page, options=RULES)
    return [f"{each['id']}: {each['help']}" for each in found.response["violations"]]


@pytest.mark.timeout(300)
async def test_everybody_can_read_the_board_and_use_it_by_keyboard_and_on_a_small_screen(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    async with board_of_a_town(tmp_path) as url, browser_at(url) as (page, wrong):
        PICTURE.parent.mkdir(exist_ok=True)
        await page.screenshot(path=PICTURE, full_page=True)
        with subtests.test("it is styled, and nothing went wrong"):
            border = await page.eval_on_selector(".signs li", "sign => getComputedStyle(sign).borderLeftStyle")
            assert (border, wrong) == ("solid", [])
        with subtests.test("a definition opens by keyboard"):
            definition = page.locator("#F1 details p")
            assert not await definition.is_visible()
            await page.locator("#F1 summary").focus()
            await page.keyboard.press("Enter")
            assert await definition.is_visible()
        with subtests.test("on a small screen only tables are scrolled sideways"):
            await page.set_viewport_size({"width": 320, "height": 640})
            assert await page.evaluate("document.documentElement.scrollWidth") == 320
        with subtests.test("English is one step away"):
            await page.get_by_role("link", name="English").click()
            assert await page.locator("h1").inner_text() == "Effects of the social effort in Kolding"
            assert await page.locator("html").get_attribute("lang") == "en"
        with subtests.test("there are no barriers, and one would be found"):
            assert await barriers(page) == []
            await page.evaluate("document.documentElement.removeAttribute('lang')")
            await page.evaluate("document.querySelector('h1').style.color = '#ccc'")
            assert {each.partition(":")[0] for each in await barriers(page)} == {"html-has-lang", "color-contrast"}
