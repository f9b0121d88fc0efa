"""For HTTP clients of servers on this computer."""

import ssl
from typing import Final

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Reading whom to trust takes longer than a test."""
