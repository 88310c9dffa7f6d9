"""The soak itself: what it calls flat, and when its books do not close."""

from collections import Counter

import pytest

from tests.bench.closing import GATEWAY, POOL, Rows, wrong_in
from tests.bench.soak import trends_of
from tests.bench.traffic import Sent
from tests.bench.trend import Tolerance, trend

POOLS = Counter({("pool", f"{number}", b""): 1 for number in range(4)})
MESSAGES = Counter({("payroll", "1", b""): 1})
SENT = Sent(events=2, commands=1, messages=1)


def test_a_line_that_rises_further_than_it_may_is_not_flat_and_the_warm_up_does_not_count() -> None:
    warm = [(10.0 * number, 100.0 if number < 20 else 150.0) for number in range(100)]
    leak = [(second, value + second / 100) for second, value in warm]

    steady, growing = trend("rss", "MB", warm, Tolerance(5)), trend("rss", "MB", leak, Tolerance(5))

    assert steady
    assert (steady.flat, steady.rise, steady.first) == (True, 0, 150)
    assert growing
    assert (growing.flat, round(growing.per_hour), round(growing.rise, 1)) == (False, 36, 7.9)


RATE = 200.0
HOUR = [10.0 * number for number in range(360)]


@pytest.mark.parametrize(
    ("lag", "faults"),
    [
        pytest.param([900.0 * (second % 50 == 0) for second in HOUR], [], id="ripples"),
        pytest.param(
            [5_000.0 * (1800 <= second < 2000) for second in HOUR], [], id="a hump of three minutes in the middle"
        ),
        pytest.param(
            [30_000.0 * (1800 <= second < 2400) for second in HOUR],
            ["lag is too high in 21% of the samples, at most 30,000"],
            id="a hump of ten minutes in the middle",
        ),
        pytest.param(
            [30_000.0 for _ in HOUR], ["lag is too high in 100% of the samples, at most 30,000"], id="a plateau"
        ),
        pytest.param([0.2 * second for second in HOUR], ["lag grows"], id="growth that is not high yet"),
    ],
)
def test_a_backlog_that_was_worked_off_or_stays_as_it_is_is_not_flat_if_it_lasts(
    lag: list[float], faults: list[str]
) -> None:
    (line,) = trends_of({"lag": list(zip(HOUR, lag, strict=True))}, RATE)

    assert line.faults == faults
    assert line.flat is not bool(faults)


def test_the_slope_of_the_last_half_is_told_beside_that_of_the_whole() -> None:
    late = trend("rss", "MB", [(second, max(0.0, second - 2160) / 36) for second in HOUR], Tolerance(100))

    assert late
    assert (round(late.per_hour), round(late.late_per_hour)) == (50, 100)


def test_what_grows_with_the_data_is_shown_and_not_judged() -> None:
    line = trend("shared", "MB", [(10.0 * number, 10.0 * number) for number in range(100)])

    assert line
    assert (line.flat, line.per_hour) == (None, 3600)


def test_books_close_when_the_ledger_is_both_outboxes_and_all_that_was_sent_is_there() -> None:
    assert not wrong_in({POOL: POOLS, GATEWAY.producer: MESSAGES}, POOLS + MESSAGES, SENT)


LEAST = Counter([*POOLS][:3])


@pytest.mark.parametrize(
    ("pool", "gateway", "ledger", "said"),
    [
        pytest.param(POOLS, MESSAGES, POOLS, "differ in 1 events", id="a message is not in the ledger"),
        pytest.param(POOLS, MESSAGES, POOLS + POOLS + MESSAGES, "differ in 4 events", id="a ledger counts twice"),
        pytest.param(LEAST, MESSAGES, LEAST + MESSAGES, "the pool's outbox has 3", id="a message had no effect"),
        pytest.param(POOLS, Rows(), POOLS, "the gateway's outbox has 0 of 1", id="a message was lost at the door"),
    ],
)
def test_books_do_not_close_when(pool: Rows, gateway: Rows, ledger: Rows, said: str) -> None:
    [wrong] = wrong_in({POOL: pool, GATEWAY.producer: gateway}, ledger, SENT)
    assert said in wrong
