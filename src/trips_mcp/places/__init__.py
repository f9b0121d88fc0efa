"""Airports, cities, countries and time zones, known offline from generated tables.

Nothing is read before the first question. Nothing is guessed: a name that several places share is answered with all
of them.
Sources and licences: data/LICENSES.md.
"""
