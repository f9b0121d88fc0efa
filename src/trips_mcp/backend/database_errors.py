"""What opening a backend may raise; light, so that it can be caught before SQLAlchemy is imported."""


class DatabaseError(Exception):
    """The database cannot be opened; its text is one sentence for people."""


class DatabaseLostError(Exception):
    """The way to the open database is gone for now; whether what was under way is done, is not known."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
