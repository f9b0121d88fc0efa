"""Airports, cities, countries and time zones, known offline from generated tables.

Tables are read on first use. Nothing is guessed: a name that several places share returns all of them.
Sources and licences: data/LICENSES.md.
"""
