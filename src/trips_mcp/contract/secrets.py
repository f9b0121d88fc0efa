"""Wire names of the secret fields (door codes, booking numbers), and the mask shown in their place."""

from typing import Final

SECRETS: Final = frozenset({"wifiPassword", "doorCode", "hostPhone", "confirmationNumber", "checkInInstructions"})

MASK: Final = "•••• (hidden)"
"""Shown instead of a secret; a write that sends it back keeps the stored value."""
