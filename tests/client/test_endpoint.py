"""Base URLs and keys that must not be used are refused before anything is sent."""

import httpx
import pytest

from trips_mcp.client import CannotConnectError, Endpoint

ELSEWHERE = httpx.MockTransport(lambda request: httpx.Response(204))


@pytest.mark.parametrize(
    "url",
    [
        "https://trips.test/api/v1",
        "https://trips.test:8443/api/v1/",
        "https://bücher.test",
        "http://localhost:8849/api/v1",
        "http://127.0.0.1:8849",
        "http://127.8.9.1",
        "http://[::1]:8849",
    ],
)
def test_a_valid_base_url_is_accepted(url: str) -> None:
    assert Endpoint(url).base_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "is not valid"),
        ("trips.test/api", "is not valid"),
        ("//trips.test", "must begin with https://"),
        ("https://", "is not valid"),
        ("https:trips.test", "is not valid"),
        ("file:///etc/passwd", "is not valid"),
        ("file://localhost/etc/passwd", "must begin with https://"),
        ("ftp://trips.test", "must begin with https://"),
        ("javascript:alert(1)", "is not valid"),
        ("https://user:hunter2@trips.test", "must not hold a user name"),
        ("https://hunter2@trips.test", "must not hold a user name"),
        ("https://trips.test/?key=hunter2", "without [?] or #"),
        ("https://trips.test/#hunter2", "without [?] or #"),
        ("http://trips.test", "unprotected"),
        ("http://127.0.0.1.trips.test", "unprotected"),
        ("http://localhost.trips.test", "unprotected"),
        ("http://192.168.0.7", "unprotected"),
        ("https://trips.test\\@evil.test", "is not valid"),
        ("https://trips.test/a b", "is not valid"),
        ("https://trips.test/\r\nHost: evil.test", "is not valid"),
        ("https://trips.test\0", "is not valid"),
        ("https://trips.test:99999", "is not valid"),
        ("https://trips.test:0", "is not valid"),
        ("https://trips.test:https", "is not valid"),
        ("https://[::1", "is not valid"),
        (f"https://{'a' * 64}.test", "is not valid"),
        (f"https://trips.test/{'a' * 10_000}", "is not valid"),
    ],
)
def test_a_hostile_base_url_is_refused_in_one_sentence(url: str, fault: str) -> None:
    with pytest.raises(CannotConnectError, match=rf"^The base URL .*{fault}[^\n]*\.$") as caught:
        Endpoint(url)

    assert "hunter2" not in str(caught.value)


def test_http_is_allowed_with_a_given_transport() -> None:
    assert Endpoint("http://embedded/api/v1", transport=ELSEWHERE).base_url == "http://embedded/api/v1"


@pytest.mark.parametrize(
    "key", ["", "osk_hunter2 ", "osk_\nhunter2", "osk_hunter2é", "Bearer osk_hunter2", "hunter2\0"]
)
def test_an_invalid_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(CannotConnectError, match=r"^The API key has characters") as caught:
        Endpoint("https://trips.test", key)

    assert "hunter2" not in str(caught.value)


def test_the_key_is_not_shown() -> None:
    assert "hunter2" not in repr(Endpoint("https://trips.test", "osk_hunter2"))
