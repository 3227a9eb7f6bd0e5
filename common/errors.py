"""Errors that carry text fit for the person in front of the screen."""


class DomainError(Exception):
    """A refusal. `str(error)` says what is wrong and what to do next, in the user's words; `code` is stable."""

    code = "refused"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts


class GatewayError(Exception):
    """A call to the outside failed."""


class TransientError(GatewayError):
    """The other side did not process the call; later may go well."""
