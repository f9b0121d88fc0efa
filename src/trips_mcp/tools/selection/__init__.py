"""Which tools a server offers, and what they say of each other then."""
