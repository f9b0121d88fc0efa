"""The steps of the demo fail if the server does not keep its promise. That they pass is tested in tests/e2e."""

import sys
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path

import pytest

from trips_mcp.cli.commands import run
from trips_mcp.cli.demo.runner import play
from trips_mcp.cli.demo.steps import (
    Caller,
    Exchange,
    Fields,
    Sample,
    Scene,
    apply_the_plan,
    ask_which_tuesday,
    check_it,
    create_the_trip,
    find_the_bed_on_tuesday,
    import_it_again,
    make_a_mistake,
    post_a_message,
    preview_a_day_more,
    share_it,
    show_the_whole_trip,
    take_it_back,
    tell_the_door_code,
)
from trips_mcp.cli.output import Terminal


def answers(**by_tool: Fields | str) -> Caller:
    """A server that says these things: a text is a refusal."""

    async def call(tool: str, _: Fields) -> tuple[bool, str, Fields]:
        answer = by_tool[tool]
        return (True, answer, {}) if isinstance(answer, str) else (False, "", answer)

    return call


def scene(call: Caller) -> Scene:
    sample = Sample.load()
    plan: Fields = {"planId": "p1", "changed": [{"id": "l", "after": {"endDate": "2027-04-09"}}]}
    return Scene(call=call, sample=sample, trip={"_id": "jx7", "number": 1}, plan=plan)


FITS: Fields = {"checked": {"legs": 4}}


async def test_a_step_shows_the_question_the_tools_and_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    held = await play(scene(answers(check_trip=FITS)), [Exchange("Does it fit?", check_it)] * 2)

    turn = """
You     Does it fit?
        check_trip
Agent   All of it fits: no overlap, no night without a bed, no missed connection.
"""
    assert held
    assert capsys.readouterr().out == turn * 2


@pytest.mark.parametrize(("no_color", "painted"), [("", True), ("1", False)], ids=["colours", "NO_COLOR"])
async def test_a_terminal_gets_colours_unless_they_are_switched_off(
    no_color: str, painted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_color)
    screen = StringIO()
    monkeypatch.setattr(sys, "stdout", Terminal(screen))

    await play(scene(answers(check_trip=FITS)), [Exchange("Does it fit?", check_it)])

    assert ("\x1b[36mYou     \x1b[0mDoes it fit?\n" in screen.getvalue()) is painted
    assert ("\x1b[2mcheck_trip\x1b[0m" in screen.getvalue()) is painted
    assert ("\x1b" in screen.getvalue()) is painted


class _Narrow(StringIO):
    def isatty(self) -> bool:  # pyright: ignore[reportImplicitOverride]
        return True


async def test_it_is_wrapped_to_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    screen = _Narrow()
    monkeypatch.setattr(sys, "stdout", Terminal(screen))

    async def list_of_long_lines(_: Scene) -> str:
        return f"All of it:\n{'Kyoto ' * 20}\nHome"

    await play(scene(answers()), [Exchange("Show me the whole trip, please, all of it, " * 2, list_of_long_lines)])

    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    assert [line for line in lines if not line.startswith((" ", "You", "Agent"))] == [""]
    assert lines[-1] == "        Home"
    assert lines[-2].startswith("          Kyoto Kyoto")


@pytest.mark.parametrize(
    ("answer", "by_tool", "why"),
    [
        (create_the_trip, {"get_me": "UNAUTHORIZED (401)"}, "get_me was refused: UNAUTHORIZED (401)"),
        (create_the_trip, {"get_me": {"user": {}}}, "not of the contract"),
        (
            create_the_trip,
            {"get_me": {"defaultGroupId": "g"}, "create_trip": {"status": "draft", "title": "Another"}},
            "not the one that was asked for",
        ),
        (ask_which_tuesday, {"get_day": {"choices": [{"date": "2027-03-30"}]}}, "both Tuesdays"),
        (
            tell_the_door_code,
            {"list_legs": {"items": [{"_id": "l", "clientRef": "leg-kyoto"}]}, "get_secret": {"value": "0000"}},
            "the door code is not that of the plan",
        ),
        (
            show_the_whole_trip,
            {"export_trip": {**Sample.load().sync, "commitments": Sample.load().commitments}},
            "a secret is not masked",
        ),
        (
            import_it_again,
            {
                "sync_trip": {
                    "legs": {"created": 4, "updated": 0, "unchanged": 0, "errors": 0},
                }
            },
            "legs: wanted 4 unchanged",
        ),
        (
            share_it,
            {"create_share_token": {"token": "t"}, "export_shared_trip": Sample.load().sync},
            "the shared view gives secrets away",
        ),
        (
            post_a_message,
            {
                "list_channels": {"items": [{"_id": "c1", "name": "general"}]},
                "send_message": {"_id": "m1"},
                "list_messages": {"items": []},
            },
            "does not hold the message",
        ),
        (
            check_it,
            {"check_trip": {"checked": {"legs": 4}, "findings": [{"why": "Two beds."}]}},
            "should have no fault: ['Two beds.']",
        ),
        (
            preview_a_day_more,
            {"export_trip": {"events": []}, "plan_move": {"caused": [{"kind": "no_bed"}], "notes": []}},
            "the flights home should be named as to rebook",
        ),
        (apply_the_plan, {"apply_plan": {"state": "stopped", "why": "Refused."}}, "was not applied: Refused."),
        (
            apply_the_plan,
            {"apply_plan": {"state": "applied"}, "list_legs": {"items": [{"_id": "l", "clientRef": "leg-kyoto"}]}},
            "the trip is not what the preview showed",
        ),
        (
            take_it_back,
            {
                "plan_undo": {"planId": "p2"},
                "apply_plan": {"state": "applied"},
                "export_trip": {"legs": [1], "events": []},
            },
            "the trip is not as it was before",
        ),
        (make_a_mistake, {"create_leg": {"_id": "leg5"}}, "accepted what it must refuse"),
        (make_a_mistake, {"create_leg": "Something went wrong"}, "does not say what is wrong"),
    ],
)
async def test_a_broken_promise_ends_the_demo(
    answer: Callable[[Scene], Awaitable[str]],
    by_tool: dict[str, Fields | str],
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    held = await play(scene(answers(**by_tool)), [Exchange("First.", answer), Exchange("Second.", check_it)])

    shown = " ".join(capsys.readouterr().out.split())
    assert not held
    assert shown.startswith("You First. FAILED ")
    assert why in shown
    assert "Second." not in shown


async def test_the_demo_asks_for_tuesday(capsys: pytest.CaptureFixture[str]) -> None:
    choices = [{"date": "2027-03-30"}, {"date": "2027-04-06"}]
    bed = {"name": "Yamabuki Machiya", "address": "Kyoto"}
    dinner = {"title": "Kaiseki dinner under the lit cherry tree"}

    held = await play(
        scene(answers(get_day={"choices": choices, "sleep": [bed], "things": [dinner]})),
        [Exchange("Where?", ask_which_tuesday), Exchange("The first.", find_the_bed_on_tuesday)],
    )

    assert held
    assert (
        "Tuesday may be 30 March or 6 April. Which one? You The first. get_day Agent On Tuesday 30 March at Yamab"
        in " ".join(capsys.readouterr().out.split())
    )


@pytest.mark.parametrize("program", ["no-such-program", sys.executable])
def test_a_server_that_does_not_start_ends_the_demo(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trips_mcp.py").write_text("raise SystemExit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # the child finds this instead of us
    monkeypatch.setattr(sys, "executable", program)

    code = run(["demo"])

    said = capfd.readouterr()
    assert code == 1
    assert "FAILED  the server process does not answer" in said.out
    assert "Traceback" not in said.out + said.err
