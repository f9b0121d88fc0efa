"""The fields that let one into a house or a booking, by their names on the wire, and what stands in for them."""

from typing import Final

SECRETS: Final = frozenset({"wifiPassword", "doorCode", "hostPhone", "confirmationNumber", "checkInInstructions"})

MASK: Final = "•••• (hidden)"
"""Shown instead of a secret; sent back in a write it means that what is there stays."""
