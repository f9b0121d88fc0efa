"""Confirmations of any form, read into bookings: bytes in, records out.

Pure: no network, no clock. Heavy libraries (`icalendar`, `pypdf`) are imported when a file needs them.
"""
