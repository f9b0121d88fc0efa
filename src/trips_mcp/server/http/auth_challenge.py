"""401 and 403 as RFC 6750 has them: what kind of credential is wanted, and what was wrong with the one that came."""

from http import HTTPStatus

from trips_mcp.server.http.errors import RefusalError

_SCHEME = 'Bearer realm="trips-mcp"'
_WANTED = "send your Trips API key as Authorization: Bearer osk_..."


def no_key() -> RefusalError:
    return RefusalError(
        HTTPStatus.UNAUTHORIZED, f"A key is missing: {_WANTED}", headers=(("www-authenticate", _SCHEME),)
    )


def malformed(what: str) -> RefusalError:
    return _invalid_token(f"{what}: {_WANTED}")


def rejected() -> RefusalError:
    return _invalid_token(
        "The service rejects this key as wrong or revoked: make one in Osoto under Settings, API Keys"
    )


def rejected_by_us() -> RefusalError:
    return _invalid_token("This key is wrong or revoked: ask whoever runs this server for one")


def unverified(seconds: int) -> RefusalError:
    """A 503, as it is not the caller's fault."""
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The service cannot be asked about this key just now; try again in {seconds} seconds.",
        headers=(("retry-after", str(seconds)),),
    )


def out_of_scope(tool: str, scope: str, request_id: str | int | None) -> RefusalError:
    said = f"{tool} needs the scope {scope}, which this key does not have"
    header = f'{_SCHEME}, error="insufficient_scope", scope="{scope}", error_description="{said}"'
    return RefusalError(
        HTTPStatus.FORBIDDEN,
        f"{said}; nothing was done.",
        headers=(("www-authenticate", header),),
        request_id=request_id,
    )


def _invalid_token(said: str) -> RefusalError:
    header = f'{_SCHEME}, error="invalid_token", error_description="{said}"'
    return RefusalError(HTTPStatus.UNAUTHORIZED, f"{said}.", headers=(("www-authenticate", header),))
