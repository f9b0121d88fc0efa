"""For HTTP clients of servers on this computer."""

import ssl
from typing import Final

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading the trusted certificates takes longer than a test."""
