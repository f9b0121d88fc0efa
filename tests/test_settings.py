"""Settings from the environment, and the errors for invalid ones."""

import subprocess
import sys
from pathlib import Path

import pytest

from trips_mcp.server.http.settings import HttpSettings
from trips_mcp.settings import Settings, SettingsError

SECRET = "hunter2"  # noqa: S105 - no real one
KEYS = ("OSOTO_API_KEY", "TRAVELMODE_TOKEN")
OTHERS = (
    "OSOTO_BASE_URL",
    "TRAVELMODE_BASE_URL",
    "TRIPS_MCP_DATABASE",
    "TRIPS_MCP_JOURNAL",
    "TRIPS_MCP_HISTORY",
    "TRIPS_MCP_LOG",
)


def test_nothing_set_means_the_embedded_backend_for_both_apis() -> None:
    settings = Settings.from_env({"HOME": "/home/kim", "PATH": "/bin"})

    assert settings.embedded
    assert settings.apis == ("trips", "events")
    assert settings.log == "warning"
    assert settings.notices == ()
    assert Path(settings.database).name == "trips.db"
    assert "trips-mcp" in settings.database


def test_empty_is_not_set() -> None:
    names: tuple[str, ...] = (*KEYS, *OTHERS, "TRIPS_MCP_NONSENSE")

    assert Settings.from_env(dict.fromkeys(names, " \t\n")) == Settings()
    assert Settings.from_env(dict.fromkeys(names, "")) == Settings()


def test_a_trips_key_alone_opens_the_trips_api_alone() -> None:
    settings = Settings.from_env({"OSOTO_API_KEY": " osk_1\n"})

    assert (settings.trips_key, settings.events_token) == ("osk_1", None)
    assert settings.trips_url == "https://keen-sturgeon-487.convex.site/api/v1"
    assert settings.apis == ("trips",)
    assert not settings.embedded


def test_an_events_token_alone_opens_the_events_api_alone() -> None:
    settings = Settings.from_env({"TRAVELMODE_TOKEN": "t1", "TRAVELMODE_BASE_URL": "https://events.test"})

    assert (settings.events_token, settings.events_url) == ("t1", "https://events.test")
    assert settings.apis == ("events",)
    assert not settings.embedded


def test_both_keys_open_both() -> None:
    settings = Settings.from_env({"OSOTO_API_KEY": "osk_1", "TRAVELMODE_TOKEN": "t1"})

    assert settings.apis == ("trips", "events")
    assert settings.events_url == "https://api.travelmode.ai"
    assert not settings.embedded


@pytest.mark.parametrize(
    ("name", "key"), [("OSOTO_BASE_URL", "OSOTO_API_KEY"), ("TRAVELMODE_BASE_URL", "TRAVELMODE_TOKEN")]
)
def test_a_base_url_without_its_key_is_an_error(name: str, key: str) -> None:
    other = next(one for one in KEYS if one != key)

    with pytest.raises(SettingsError, match=rf"^{name} is set without {key}; [^\n]*\.$"):
        Settings.from_env({name: "https://trips.test", other: "k"})


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize(
    "reference",
    [
        "${OSOTO_API_KEY}",
        "${env:KEY}",
        "${input:key}",
        "${user_config.key}",
        "${}",
        "$OSOTO_API_KEY",
        "$env:OSOTO_API_KEY",
        "%OSOTO_API_KEY%",
        "{env:OSOTO_API_KEY}",
        "{env.OSOTO_API_KEY}",
        "{{OSOTO_API_KEY}}",
        "{{ secrets.osoto }}",
        "${{ secrets.OSOTO_API_KEY }}",
        "$(OSOTO_API_KEY)",
        "{file:~/.osoto-key}",
        "op://vault/osoto/key",
    ],
)
def test_a_key_that_was_not_expanded_never_selects_the_embedded_backend(name: str, reference: str) -> None:
    settings = Settings.from_env({name: f" {reference} "})

    assert not settings.embedded
    assert settings.apis == ()
    assert (settings.trips_key, settings.events_token) == (None, None)
    [notice] = settings.notices
    assert notice.startswith(
        f"{name} is a reference such as ${{NAME}}, which the program that started this server did "
    )


def test_the_other_api_works_on_when_one_key_was_not_expanded() -> None:
    settings = Settings.from_env(
        {"OSOTO_API_KEY": "${K}", "OSOTO_BASE_URL": "https://trips.test", "TRAVELMODE_TOKEN": "t1"}
    )

    assert settings.apis == ("events",)
    assert len(settings.notices) == 1


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(
    "value",
    [
        f"https://x/${{{SECRET}}}",
        f"https://{{env:{SECRET}}}/x",
        f"https://x/{{{{{SECRET}}}}}",
        f"${SECRET}/trips.db",
        f"%{SECRET}%\\trips.db",
        f"$({SECRET})/trips.db",
        f"{{file:~/{SECRET}}}",
        f"$env:{SECRET}",
    ],
)
def test_no_other_setting_may_be_left_unexpanded(name: str, value: str) -> None:
    env = {"OSOTO_API_KEY": "k", "TRAVELMODE_TOKEN": "k", name: value}

    with pytest.raises(SettingsError, match=rf"^{name} still has [^\n]*\.$") as caught:
        Settings.from_env(env)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize(
    "key",
    [
        f"Bearer {SECRET}",
        f"{SECRET}\nX: y",
        f"{SECRET}\t1",
        f"é{SECRET}",
        f"{SECRET}\0",
        f"osk_${{X}}{SECRET}",
        f"${{A}}${{{SECRET}}}",
        f"osk_{{{{X}}}}{SECRET}",
        f"osk_{{env:X}}{SECRET}",
    ],
)
def test_a_key_that_cannot_be_one_is_an_error_that_does_not_repeat_it(name: str, key: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name} holds characters [^\n]*\.$") as caught:
        Settings.from_env({name: key})

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://kim:pa$word@db/trips", "postgresql://kim:%C3%A9%41@db/trips", "notes/$5/t.db", "a{b}c.db"]
)
def test_a_dollar_or_percent_sign_inside_a_value_is_no_reference(url: str) -> None:
    assert Settings.from_env({"TRIPS_MCP_DATABASE": url}).database == url


@pytest.mark.parametrize("key", ["osk_$5", "pa$word", "100%", "%41", "{x}", "a%b%c"])
def test_a_key_may_hold_signs_that_references_hold(key: str) -> None:
    assert Settings.from_env({"OSOTO_API_KEY": key}).trips_key == key


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "DEBUG", " Error "])
def test_the_log_level_is_one_of_four(level: str) -> None:
    assert Settings.from_env({"TRIPS_MCP_LOG": level}).log == level.strip().lower()


def test_another_log_level_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"^TRIPS_MCP_LOG must be one of debug, info, warning, error\.$"):
        Settings.from_env({"TRIPS_MCP_LOG": "loud"})


def test_a_database_is_taken_as_it_is() -> None:
    url = "postgresql+asyncpg://kim:pw@db/trips"

    assert Settings.from_env({"TRIPS_MCP_DATABASE": url}).database == url


@pytest.mark.parametrize("end", ["", "/"])
def test_the_database_in_a_folder_has_a_name_of_its_own(tmp_path: Path, end: str) -> None:
    settings = Settings.from_env({"TRIPS_MCP_DATABASE": f"{tmp_path}{end}"})

    assert Path(settings.database) == tmp_path / "trips.db"


def test_the_database_may_be_in_a_folder_of_ones_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))

    assert Path(Settings.from_env({"TRIPS_MCP_DATABASE": "~"}).database) == tmp_path / "trips.db"


def test_the_journal_is_a_file_of_the_users_unless_it_is_off() -> None:
    unset = Settings.from_env({}).journal

    assert unset is not None
    assert Path(unset).name == "journal.db"
    assert "trips-mcp" in unset
    assert Settings.from_env({"TRIPS_MCP_JOURNAL": "notes/j.db"}).journal == "notes/j.db"
    assert Settings.from_env({"TRIPS_MCP_JOURNAL": " OFF "}).journal is None


def test_the_history_is_a_file_of_the_users_unless_it_is_off() -> None:
    unset = Settings.from_env({}).history

    assert unset is not None
    assert Path(unset).name == "history.db"
    assert "trips-mcp" in unset
    assert Settings.from_env({"TRIPS_MCP_HISTORY": "notes/h.db"}).history == "notes/h.db"
    assert Settings.from_env({"TRIPS_MCP_HISTORY": " OFF "}).history is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TRIPS_MCP_DATABSE", "TRIPS_MCP_DATABASE"),
        ("TRIPS_MCP_READONLY", "TRIPS_MCP_READ_ONLY"),
        ("TRIPS_MCP_TOOLSET", "TRIPS_MCP_TOOLSETS"),
        ("TRIPS_MCP_read_only", "TRIPS_MCP_READ_ONLY"),
    ],
)
def test_a_setting_that_does_not_exist_is_refused_with_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: SECRET, "TRIPS_OTHER": "x"})

    assert str(caught.value) == f"{name} is not a setting; rename it to {meant}, or remove it."


def test_a_setting_that_is_like_none_is_refused_with_all_there_are() -> None:
    with pytest.raises(SettingsError, match=r"^TRIPS_MCP_QQ is not a setting; remove it\. The settings are TRIPS_MCP_"):
        Settings.from_env({"TRIPS_MCP_QQ": SECRET})


SERVICE_LINKS = {
    "TRIPS_MCP_SERVICE_HOST": "10.96.0.11",
    "TRIPS_MCP_SERVICE_PORT": "8848",
    "TRIPS_MCP_SERVICE_PORT_HTTP": "8848",
    "TRIPS_MCP_PORT": "tcp://10.96.0.11:8848",
    "TRIPS_MCP_PORT_8848_TCP": "tcp://10.96.0.11:8848",
    "TRIPS_MCP_PORT_8848_TCP_PROTO": "tcp",
    "TRIPS_MCP_PORT_8848_TCP_PORT": "8848",
    "TRIPS_MCP_PORT_8848_TCP_ADDR": "10.96.0.11",
}
"""What Kubernetes sets in each container for a Service named trips-mcp, unless `enableServiceLinks` is false."""


def test_the_variables_of_a_kubernetes_service_are_ignored() -> None:
    assert Settings.from_env(SERVICE_LINKS) == Settings.from_env({})
    assert HttpSettings.from_env(SERVICE_LINKS, {}).port == 8848
    assert HttpSettings.from_env(SERVICE_LINKS, {"--port": "9000"}).port == 9000


@pytest.mark.parametrize(
    "name",
    [
        "TRIPS_MCP_SERVICE",
        "TRIPS_MCP_SERVICE_NAME",
        "TRIPS_MCP_PORTS",
        "TRIPS_MCP_PORT_TCP",
        "TRIPS_MCP_DB_SERVICE_HOST",
    ],
)
def test_a_name_that_only_looks_like_one_of_a_service_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is not a setting; "):
        Settings.from_env({name: "tcp://10.96.0.11:8848"})


@pytest.mark.parametrize("text", ["tcp", "tcp:", "http://10.96.0.11:8848", "99999", "${PORT}"])
def test_another_port_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^TRIPS_MCP_PORT "):
        HttpSettings.from_env({"TRIPS_MCP_PORT": text}, {})


def test_no_secret_is_shown() -> None:
    settings = Settings.from_env(
        {
            "OSOTO_API_KEY": f"osk_{SECRET}",
            "OSOTO_BASE_URL": f"https://kim:{SECRET}@trips.test",
            "TRAVELMODE_TOKEN": SECRET,
            "TRIPS_MCP_DATABASE": f"postgresql://kim:{SECRET}@db/trips",
        }
    )

    assert SECRET not in f"{settings!r} {settings}"


def test_settings_need_the_standard_library_alone() -> None:
    program = (
        "import sys, trips_mcp.settings as s; s.Settings.from_env({}).apis; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stderr == ""
    assert not {"pydantic", "httpx", "platformdirs", "typing_extensions", "mcp", "anyio"} & {*done.stdout.split()}
    assert "trips_mcp" in done.stdout.split()


@pytest.mark.parametrize(
    "listed", ["trips:read,messages:read:jx7", "trips:read messages:read:jx7", " trips:read , messages:read:jx7 "]
)
def test_scopes_are_a_list(listed: str) -> None:
    assert Settings.from_env({"TRIPS_MCP_SCOPES": listed}).scopes == ("trips:read", "messages:read:jx7")


def test_scopes_that_are_not_listed_are_not_known() -> None:
    assert Settings.from_env({}).scopes is None
    assert Settings.from_env({"TRIPS_MCP_SCOPES": " "}).scopes is None


@pytest.mark.parametrize(
    "listed", ["everything", "trips", "trips:read:", "trips:read;trips:write", ",", "trips:read:a:b"]
)
def test_an_invalid_scope_is_refused(listed: str) -> None:
    with pytest.raises(SettingsError, match=r"^TRIPS_MCP_SCOPES must list the key's scopes"):
        Settings.from_env({"TRIPS_MCP_SCOPES": listed})


NAMES = {"toolsets": "TRIPS_MCP_TOOLSETS", "tools": "TRIPS_MCP_TOOLS", "exclude_tools": "TRIPS_MCP_EXCLUDE_TOOLS"}
SWITCHES = {
    "read_only": "TRIPS_MCP_READ_ONLY",
    "no_outbound": "TRIPS_MCP_NO_OUTBOUND",
    "mask_secrets": "TRIPS_MCP_MASK_SECRETS",
}
FLAGS = {variable: f"--{name.replace('_', '-')}" for name, variable in {**NAMES, **SWITCHES}.items()} | {
    "TRIPS_MCP_TRIP": "--trip",
    "TRIPS_MCP_EVENT_TRIPS": "--event-trips",
}


def test_unless_something_is_chosen_everything_is_offered() -> None:
    settings = Settings.from_env({})

    assert (settings.toolsets, settings.tools, settings.exclude_tools) == ((), (), ())
    assert (settings.read_only, settings.no_outbound, settings.mask_secrets) == (False, False, None)
    assert (settings.trip, settings.event_trips) == (None, {})


@pytest.mark.parametrize(("name", "variable"), NAMES.items())
@pytest.mark.parametrize("listed", ["trips,get_leg", " trips get_leg ", "trips, get_leg,"])
def test_names_are_a_list(name: str, variable: str, listed: str) -> None:
    assert getattr(Settings.from_env({variable: listed}), name) == ("trips", "get_leg")


@pytest.mark.parametrize(("name", "variable"), SWITCHES.items())
@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("1", True),
        ("true", True),
        ("Yes", True),
        ("ON", True),
        ("0", False),
        ("False", False),
        ("no", False),
        ("off", False),
    ],
)
def test_a_switch_is_on_or_off(name: str, variable: str, text: str, on: bool) -> None:
    assert getattr(Settings.from_env({variable: text}), name) is on


@pytest.mark.parametrize("variable", SWITCHES.values())
@pytest.mark.parametrize("text", ["2", "maybe", "y", "true,false", "trips"])
def test_a_switch_is_nothing_else(variable: str, text: str) -> None:
    with pytest.raises(
        SettingsError, match=rf"^{variable} must be one of 1, true, yes, on, or of 0, false, no, off\.$"
    ):
        Settings.from_env({variable: text})


@pytest.mark.parametrize(("by_default", "text", "masked"), [(True, "", True), (False, "", False), (True, "off", False)])
def test_whether_secrets_are_masked_is_up_to_the_transport_unless_it_is_set(
    by_default: bool, text: str, masked: bool
) -> None:
    settings = Settings.from_env({"TRIPS_MCP_MASK_SECRETS": text})

    assert settings.masks_secrets(by_default=by_default) is masked


@pytest.mark.parametrize("trip", ["jx7abc", "jx7abc_1-2", "01JD:Z", "trip.1"])
def test_a_trip_is_an_id(trip: str) -> None:
    assert Settings.from_env({"TRIPS_MCP_TRIP": f" {trip} "}).trip == trip


@pytest.mark.parametrize("trip", ["a/b", "a\\b", "..", ".", "a%2Fb", "a b", "a,b", "a\0b", "x" * 257])
def test_what_cannot_be_the_id_of_a_trip_is_refused(trip: str) -> None:
    with pytest.raises(SettingsError, match=r"^TRIPS_MCP_TRIP must be the id of one trip, [^\n]*\.$"):
        Settings.from_env({"TRIPS_MCP_TRIP": trip})


@pytest.mark.parametrize("listed", ["jx7abc=42,jx8=1", "jx7abc=42 jx8=1", " jx7abc=42, jx8=1, jx8=1"])
def test_trips_are_linked_to_their_numbers(listed: str) -> None:
    assert Settings.from_env({"TRIPS_MCP_EVENT_TRIPS": listed}).event_trips == {"jx7abc": 42, "jx8": 1}


@pytest.mark.parametrize(
    "listed",
    ["jx7", "jx7=", "=42", "jx7=x", "jx7=0", "jx7=-1", "jx7=4.2", "a/b=1", "jx7=1,jx7=2", f"jx7={2**53}", "jx7=٤٢"],
)
def test_a_link_that_cannot_be_meant_is_refused(listed: str) -> None:
    with pytest.raises(SettingsError, match=r"^TRIPS_MCP_EVENT_TRIPS must give trips their number [^\n]*\.$"):
        Settings.from_env({"TRIPS_MCP_EVENT_TRIPS": listed})


@pytest.mark.parametrize("variable", [*NAMES.values(), "TRIPS_MCP_EVENT_TRIPS"])
def test_a_list_of_nothing_is_refused(variable: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{variable} names nothing; "):
        Settings.from_env({variable: ", ,"})


@pytest.mark.parametrize(
    ("variable", "of_flag", "of_variable"),
    [
        ("TRIPS_MCP_TOOLSETS", "legs", "trips"),
        ("TRIPS_MCP_TOOLS", "get_leg", "list_legs"),
        ("TRIPS_MCP_EXCLUDE_TOOLS", "get_leg", "list_legs"),
        ("TRIPS_MCP_READ_ONLY", "off", "on"),
        ("TRIPS_MCP_NO_OUTBOUND", "on", "off"),
        ("TRIPS_MCP_MASK_SECRETS", "off", "on"),
        ("TRIPS_MCP_TRIP", "jx7", "jx8"),
        ("TRIPS_MCP_EVENT_TRIPS", "jx7=1", "jx7=2"),
    ],
)
def test_a_flag_wins_over_its_variable(variable: str, of_flag: str, of_variable: str) -> None:
    both = Settings.from_env({variable: of_variable}, {FLAGS[variable]: of_flag})

    assert both == Settings.from_env({variable: of_flag})
    assert both != Settings.from_env({variable: of_variable})


@pytest.mark.parametrize("flag", FLAGS.values())
def test_a_flag_with_nothing_behind_it_is_refused(flag: str) -> None:
    """As it comes of `--trip "$TRIP"` where no TRIP is set: that must not offer everything."""
    with pytest.raises(SettingsError, match=rf"^{flag} is empty; "):
        Settings.from_env({}, {flag: " "})


@pytest.mark.parametrize(("variable", "flag"), FLAGS.items())
def test_a_mistake_is_told_by_the_name_it_was_made_under(variable: str, flag: str) -> None:
    for env, flags, name in (({variable: "${X}"}, {}, variable), ({}, {flag: "${X}"}, flag)):
        with pytest.raises(SettingsError, match=rf"^{name} still has "):
            Settings.from_env(env, flags)
