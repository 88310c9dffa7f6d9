"""The other calculation as a process group of its own: what it answers, and how it ends."""

import os
import signal
import subprocess
import sys
from datetime import date

from local.expected.answers import calculated
from local.expected.figures import expected_figures
from local.plan.chance import LAST_DAY
from local.plan.year import plan_years

MID_YEAR = date(2025, 6, 30)
YEARS = plan_years(1, 20)
INTERRUPTED = """
import time
from datetime import date
from local.expected.answers import calculated
try:
    with calculated(1, 20, [(date(2025, 6, day), date(2025, 6, day)) for day in (1, 2, 3, 4)]) as answers:
        for calculation in answers.calculations.values():
            calculation.result()
        print("calculated", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""


async def test_every_municipality_has_its_answer_at_every_pair_of_days() -> None:
    with calculated(1, 20, [(MID_YEAR, LAST_DAY)]) as answers:
        found = {
            year.town.municipality: await answers.of(year.town.municipality, (MID_YEAR, LAST_DAY)) for year in YEARS
        }

    assert found == {
        code: expected_figures(year.actions, municipality=code, as_of=MID_YEAR, known_on=LAST_DAY)
        for year in YEARS
        for code in [year.town.municipality]
    }


def test_nobody_waits_for_what_is_not_asked_for_by_the_end() -> None:
    with calculated(1, 400, [(MID_YEAR, LAST_DAY)]) as answers:
        pass

    assert all(calculation.cancelled() or calculation.exception() for calculation in answers.calculations.values())


def test_ctrl_c_ends_it_without_a_word() -> None:
    argv = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(  # noqa: S603 - our script
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "calculated\n"
        # As a terminal does it: to everybody who runs in it.
        os.killpg(process.pid, signal.SIGINT)
        told, complained = process.communicate(timeout=30)

    assert (told, complained) == ("interrupted\n", "")
