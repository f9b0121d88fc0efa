"""The demo's steps fail where the server does not keep its promise; that they pass is in tests/e2e."""

import sys
from pathlib import Path

import pytest

from trips_mcp.cli.commands import run
from trips_mcp.cli.demo.play import play
from trips_mcp.cli.demo.sample import Fields, Sample
from trips_mcp.cli.demo.scene import Caller, Scene
from trips_mcp.cli.demo.steps import (
    Step,
    check_it,
    create_the_trip,
    find_the_bed_on_tuesday,
    import_it_again,
    make_a_mistake,
    post_a_message,
    share_it,
    who_am_i,
)


def answers(**by_tool: Fields | str) -> Caller:
    """A server that says these things: a text is a refusal."""

    async def call(tool: str, _: Fields) -> tuple[bool, str, Fields]:
        answer = by_tool[tool]
        return (True, answer, {}) if isinstance(answer, str) else (False, "", answer)

    return call


def scene(call: Caller) -> Scene:
    sample = Sample.load()
    return Scene(
        call=call, sample=sample, trip={"_id": "jx7", "number": 1}, exported={**sample.sync, "trip": sample.trip}
    )


async def test_a_step_that_holds_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    me = {"user": {"name": "owner"}, "defaultGroupId": "grp1", "scopes": ["trips:read"]}

    held = await play(scene(answers(get_me=me)), [who_am_i])

    assert held
    assert capsys.readouterr().out == "    ok  get_me: owner, may trips:read\n"


@pytest.mark.parametrize(
    ("step", "by_tool", "why"),
    [
        (who_am_i, {"get_me": "UNAUTHORIZED (401)"}, "get_me was refused: UNAUTHORIZED (401)"),
        (who_am_i, {"get_me": {"user": {}}}, "not of the contract"),
        (create_the_trip, {"create_trip": {"status": "draft", "title": "Another"}}, "not the one that was asked for"),
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
        (make_a_mistake, {"create_leg": {"_id": "leg5"}}, "accepted what it must refuse"),
        (make_a_mistake, {"create_leg": "Something went wrong"}, "does not say what is wrong"),
    ],
)
async def test_a_broken_promise_ends_the_demo(
    step: Step, by_tool: dict[str, Fields | str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    held = await play(scene(answers(**by_tool)), [step, who_am_i])

    shown = " ".join(capsys.readouterr().out.split())
    assert not held
    assert shown.startswith("FAILED ")
    assert why in shown
    assert "get_me: " not in shown


async def test_tuesday_is_asked_for_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    choices = [{"date": "2027-03-30"}, {"date": "2027-04-06"}]
    bed = {"name": "Yamabuki Machiya", "address": "Kyoto"}
    dinner = {"title": "Kaiseki dinner under the lit cherry tree"}

    held = await play(
        scene(answers(get_day={"choices": choices, "sleep": [bed], "things": [dinner]})), [find_the_bed_on_tuesday]
    )

    assert held
    assert "Tuesday 30 March: Yamabuki Machiya" in " ".join(capsys.readouterr().out.split())


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
