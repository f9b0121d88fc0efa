"""httpx's client, without cookies: an API that is called with a key has no use for them.

Looking for some in every answer would be a tenth of what a small call costs, and one that was kept could carry
an account from one call into another.
"""

import httpx
from typing_extensions import override


class _NoCookies(httpx.Cookies):
    @override
    def extract_cookies(self, response: httpx.Response) -> None:
        pass


class Http(httpx.AsyncClient):
    @property
    @override
    def cookies(self) -> httpx.Cookies:  # pyright: ignore[reportIncompatibleMethodOverride] - it can't be set
        return _NoCookies()
