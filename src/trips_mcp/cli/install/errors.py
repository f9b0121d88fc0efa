"""What is not done, and why: half a sentence each, as `/home/ada/.cursor/mcp.json is a link`."""


class InstallRefusedError(Exception):
    consequence = "nothing was changed"


class NameTakenError(InstallRefusedError):
    """By a server that is not this one."""


class OwnCommandError(InstallRefusedError):
    """A client's own command that did not do it."""

    def __init__(self, why: str, consequence: str = InstallRefusedError.consequence) -> None:
        super().__init__(why)
        self.consequence = consequence
