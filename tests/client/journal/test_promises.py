"""The promises of every journal, in memory or in a file: only unknown outcomes are joined."""

from typing import Protocol

import anyio

from trips_mcp.client.journal import Intent, Journal

DAY = 24 * 3600


class Clock(Protocol):
    now: float


async def test_two_completed_calls_are_two_writes(journal: Journal) -> None:
    first = await journal.begin("d", "send_message")
    await journal.settle(first)

    second = await journal.begin("d", "send_message")

    assert not second.resumed
    assert second.key != first.key


async def test_a_call_of_unknown_outcome_is_resumed_by_the_next_identical_one(journal: Journal) -> None:
    first = await journal.begin("d", "update_event", note="revision 3")
    await journal.leave_unknown(first)

    other = await journal.begin("e", "update_event")
    second = await journal.begin("d", "update_event", note="revision 4")

    assert not other.resumed
    assert second == Intent(first.key, resumed=True, note="revision 3")


async def test_it_is_resumed_once(journal: Journal) -> None:
    first = await journal.begin("d", "send_message")
    await journal.leave_unknown(first)
    second = await journal.begin("d", "send_message")

    at_the_same_time = await journal.begin("d", "send_message")
    await journal.settle(second)
    afterwards = await journal.begin("d", "send_message")

    assert len({first.key, at_the_same_time.key, afterwards.key}) == 3
    assert not at_the_same_time.resumed
    assert not afterwards.resumed


async def test_it_can_stay_unknown_again_and_again(journal: Journal) -> None:
    first = await journal.begin("d", "send_message")
    for _ in range(3):
        await journal.leave_unknown(first)
        again = await journal.begin("d", "send_message")
        assert (again.key, again.resumed) == (first.key, True)


async def test_concurrent_identical_calls_have_different_keys(journal: Journal) -> None:
    intents: list[Intent] = []

    async def begin() -> None:
        intents.append(await journal.begin("d", "send_message"))

    async with anyio.create_task_group() as calls:
        for _ in range(20):
            calls.start_soon(begin)

    assert len({intent.key for intent in intents}) == 20
    assert not any(intent.resumed for intent in intents)


async def test_each_of_two_unknown_calls_is_resumed(journal: Journal) -> None:
    first = await journal.begin("d", "send_message")
    second = await journal.begin("d", "send_message")
    await journal.leave_unknown(second)
    await journal.leave_unknown(first)

    taken_up = [await journal.begin("d", "send_message") for _ in range(3)]

    assert {taken_up[0].key, taken_up[1].key} == {first.key, second.key}
    assert [intent.resumed for intent in taken_up] == [True, True, False]


async def test_an_expired_note_is_not_resumed(journal: Journal, clock: Clock) -> None:
    await journal.leave_unknown(await journal.begin("d", "send_message"))

    clock.now += DAY

    assert not (await journal.begin("d", "send_message")).resumed


async def test_resuming_a_note_does_not_extend_its_life(journal: Journal, clock: Clock) -> None:
    first = await journal.begin("d", "send_message")
    await journal.leave_unknown(first)
    clock.now += DAY - 120
    late = await journal.begin("d", "send_message")
    await journal.leave_unknown(late)

    clock.now += 61
    too_late = await journal.begin("d", "send_message")

    assert (late.key, too_late.resumed) == (first.key, False)


async def test_a_clock_that_was_set_back_loses_nothing(journal: Journal, clock: Clock) -> None:
    first = await journal.begin("d", "send_message")
    await journal.leave_unknown(first)

    clock.now -= 3600

    assert (await journal.begin("d", "send_message")).key == first.key


async def test_journal_writes_finish_when_the_call_is_cancelled(journal: Journal) -> None:
    intents: list[Intent] = []
    with anyio.CancelScope() as cancelled:
        cancelled.cancel()
        intents.append(await journal.begin("d", "send_message"))
        await journal.leave_unknown(intents[0])

    assert (await journal.begin("d", "send_message")).key == intents[0].key


async def test_settling_twice_or_too_late_is_harmless(journal: Journal, clock: Clock) -> None:
    intent = await journal.begin("d", "send_message")
    clock.now += DAY
    other = await journal.begin("e", "send_message")

    for _ in range(2):
        await journal.settle(intent)
        await journal.leave_unknown(intent)

    await journal.leave_unknown(other)
    assert (await journal.begin("e", "send_message")).key == other.key
    assert not (await journal.begin("d", "send_message")).resumed
