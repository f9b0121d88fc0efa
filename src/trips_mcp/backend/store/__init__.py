"""The SQLite or PostgreSQL database; its errors are here, importable without SQLAlchemy."""


class DatabaseError(Exception):
    """The database cannot be opened; the message is one sentence for people."""


class DatabaseLostError(Exception):
    """The connection to the open database was lost; the current transaction may or may not be committed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
