"""The settings over HTTP: flags before variables, and an invalid one is named in its error."""

import pytest

from trips_mcp.server.http.settings import HttpSettings, settings_of_callers
from trips_mcp.settings import TRIPS_URL, SettingsError


def test_without_settings_only_this_computer_may_call() -> None:
    settings = HttpSettings.from_env({}, {})

    assert (settings.transport, settings.host, settings.port, settings.auth) == ("http", "127.0.0.1", 8848, None)
    assert (settings.max_calls, settings.max_calls_per_caller) == (256, 64)
    assert settings.allowed_hosts == settings.allowed_origins == ()


def test_a_flag_wins_over_its_variable() -> None:
    env = {
        "TRIPS_MCP_TRANSPORT": "sse",
        "TRIPS_MCP_HOST": "::1",
        "TRIPS_MCP_PORT": " 80 ",
        "TRIPS_MCP_AUTH": "key",
        "TRIPS_MCP_ALLOWED_HOST": "A.example, b.example:8443 [::1]:9",
        "TRIPS_MCP_ALLOWED_ORIGIN": "https://App.example",
        "TRIPS_MCP_MAX_CALLS": "7",
        "TRIPS_MCP_MAX_CALLS_PER_CALLER": "",
        "TRIPS_MCP_RATE_LIMIT": "off",
    }

    by_variable = HttpSettings.from_env(env, {})
    by_flag = HttpSettings.from_env(env, {"--port": "0", "--auth": "none", "--allowed-host": "c.example"})

    assert (by_variable.transport, by_variable.host, by_variable.port) == ("sse", "::1", 80)
    assert by_variable.allowed_hosts == ("a.example", "b.example:8443", "[::1]:9")
    assert by_variable.allowed_origins == ("https://app.example",)
    assert (by_variable.max_calls, by_variable.max_calls_per_caller, by_variable.rate_limit) == (7, 64, None)
    assert (by_flag.port, by_flag.auth, by_flag.allowed_hosts) == (0, "none", ("c.example",))


@pytest.mark.parametrize(
    ("env", "flags", "why"),
    [
        ({"TRIPS_MCP_TRANSPORT": "websocket"}, {}, "TRIPS_MCP_TRANSPORT must be stdio, http or sse"),
        ({"TRIPS_MCP_AUTH": "oauth"}, {}, "TRIPS_MCP_AUTH must be key or none"),
        ({"TRIPS_MCP_PORT": "1e3"}, {}, "TRIPS_MCP_PORT must be a number from 0 to 65535"),
        ({"TRIPS_MCP_PORT": "-1"}, {}, "TRIPS_MCP_PORT"),
        ({"TRIPS_MCP_PORT": "65536"}, {}, "TRIPS_MCP_PORT"),
        ({"TRIPS_MCP_PORT": "٣"}, {}, "TRIPS_MCP_PORT"),
        ({"TRIPS_MCP_HOST": "${HOST}"}, {}, "TRIPS_MCP_HOST still has a variable in it"),
        ({}, {"--max-calls-per-caller": "0"}, "--max-calls-per-caller must be a number from 1"),
        ({}, {"--rate-limit": "0"}, "--rate-limit must be how many requests a minute"),
        ({"TRIPS_MCP_RATE_LIMIT": "1e3"}, {}, "TRIPS_MCP_RATE_LIMIT must be how many"),
        ({}, {"--allowed-host": "*"}, "--allowed-host must list names"),
        ({}, {"--allowed-host": "a.example/mcp"}, "--allowed-host"),
        ({}, {"--allowed-host": "a.example:http"}, "--allowed-host"),
        ({}, {"--allowed-origin": "https://a.example/"}, "--allowed-origin must list origins"),
        ({}, {"--allowed-origin": "null"}, "--allowed-origin"),
    ],
)
def test_an_invalid_setting_is_reported_by_its_name(env: dict[str, str], flags: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError) as refused:
        HttpSettings.from_env(env, flags)

    assert str(refused.value).startswith(why)


def test_the_servers_own_keys_are_not_read_for_callers() -> None:
    own = {"OSOTO_API_KEY": "${unexpanded}", "TRAVELMODE_TOKEN": "two words", "TRIPS_MCP_SCOPES": "nonsense"}

    settings = settings_of_callers(own)

    assert (settings.trips_key, settings.events_token, settings.scopes) == (None, None, None)
    assert (settings.apis, settings.embedded) == (("trips", "events"), False)
    assert (settings.trips_url, settings.team, settings.one_store) == (TRIPS_URL, False, False)
    assert not settings.notices


def test_callers_may_be_those_of_another_service() -> None:
    settings = settings_of_callers({"OSOTO_BASE_URL": "https://trips.example/api/v1"})

    assert (settings.trips_url, settings.team) == ("https://trips.example/api/v1", False)


def test_with_a_database_callers_are_those_of_the_embedded_backend() -> None:
    settings = settings_of_callers({"TRIPS_MCP_DATABASE": "team.db"})

    assert (settings.team, settings.embedded, settings.one_store, settings.database) == (True, False, True, "team.db")
    assert settings.apis == ("trips", "events")


def test_callers_have_keys_of_one_service() -> None:
    with pytest.raises(SettingsError, match="TRIPS_MCP_DATABASE and TRAVELMODE_BASE_URL are both set"):
        settings_of_callers({"TRIPS_MCP_DATABASE": "team.db", "TRAVELMODE_BASE_URL": "https://events.example"})
