"""What opening a backend may raise; light, so that it can be caught before SQLAlchemy is imported."""


class DatabaseError(Exception):
    """The database cannot be opened; its text is one sentence for people."""
