import pytest

from local.waiting import until


async def test_a_sync_and_an_async_condition_both_give_their_truthy_value() -> None:
    answers = iter([0, 0, 7])

    async def found() -> str:
        return "found"

    assert await until(lambda: next(answers)) == 7
    assert await until(found) == "found"


async def test_what_never_comes_true_ends_with_the_message() -> None:
    with pytest.raises(TimeoutError, match="the relay is idle"):
        await until(lambda: False, seconds=0.05, message="the relay is idle")


async def test_what_the_condition_raises_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        await until(lambda: 1 // 0)
