"""The words of our own answers to keywords, where a program has none of its own."""


def stopped(name: str) -> str:
    """The one confirmation of STOP (47 CFR 64.1200(a)(12))."""
    return f"{name}: You have been unsubscribed and will receive no more texts. Reply START to come back."


def stopped_one(name: str, *, program: str) -> str:
    """The confirmation where STOP stops one program alone."""
    return f"{name}: You will receive no more texts of “{program}”. Reply STOPALL to stop all our texts."


def stopped_which(name: str, *, program: str) -> str:
    """The confirmation that asks what was meant: all is stopped, and without an answer it stays so."""
    return (
        f"{name}: You have been unsubscribed and will receive no more texts. "
        f"If you meant “{program}” alone, reply {KEEP_WORD.upper()} to keep the others."
    )


KEEP_WORD = "keep"


def started(name: str) -> str:
    """The answer to START."""
    return (
        f"{name}: You are subscribed again. Msg frequency varies. Msg & data rates may apply. "
        "Reply HELP for help, STOP to stop."
    )


def helped(name: str) -> str:
    """The answer to HELP."""
    return f"{name}: Reply to this number to reach us. Msg & data rates may apply. Reply STOP to stop."


def asked(brand: str, *, program: str, frequency: str, word: str) -> str:
    """The opt-in request: what a double opt-in asks (B2)."""
    often = f"{frequency[:1].upper()}{frequency[1:]}".strip().rstrip(".")
    return (
        f"{brand}: Reply {word.upper()} to get {program} by text. {often}. Msg & data rates may apply. "
        "Reply HELP for help, STOP to stop."
    )


def reminded(brand: str, *, program: str, word: str) -> str:
    """The one reminder of a request that nobody has answered."""
    return (
        f"{brand}: You asked for {program} by text. Reply {word.upper()} to get it, or do nothing. Reply STOP to stop."
    )
