"""Reasons why `install` refuses, as clauses such as `/home/ada/.cursor/mcp.json is a link`."""


class InstallRefusedError(Exception):
    consequence = "nothing was changed"


class NameTakenError(InstallRefusedError):
    """The name belongs to another server."""


class OwnCommandError(InstallRefusedError):
    """The client's own command failed."""

    def __init__(self, why: str, consequence: str = InstallRefusedError.consequence) -> None:
        super().__init__(why)
        self.consequence = consequence
