"""Programs and the words that stop."""

from datetime import datetime

from accounts.actions import audit
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from consent.models import Program, ProgramVersion, StopWord
from consent.rules.keywords import Keyword, keyword_of, normalise
from consent.rules.media import Level


class ProgramRefused(DomainError):
    code = "program_refused"


class UnusableStopWord(DomainError):
    code = "unusable_stop_word"


def create_program(
    *, name: str, level: Level, brand: str, opt_in_text: str, actor: Actor, now: datetime, help_text: str = ""
) -> Program:
    """Create a program with the first version of its opt-in text. Raises ProgramRefused."""
    if Program.objects.filter(name=name).exists():
        raise ProgramRefused(f"There is a program “{name}” already. Choose another name.")
    program: Program = Program.objects.create(
        organization_id=current_organization_id(),
        name=name,
        level=level,
        brand=brand,
        opt_in_text=opt_in_text,
        help_text=help_text,
        created_at=now,
    )
    ProgramVersion.objects.create(
        organization_id=program.organization_id, program=program, version=1, opt_in_text=opt_in_text, created_at=now
    )
    audit(action="program.created", subject=program, actor=actor, now=now, name=name, level=level)
    return program


def check_stop_word(word: str) -> None:
    """Raises UnusableStopWord where the word is empty, no plain word, or already means something else (START, HELP)."""
    is_tag = any(letter in "{}|" for letter in word)  # it would be filled in for each person
    if is_tag or not normalise(word) or keyword_of(word) not in (None, Keyword.STOP):
        raise UnusableStopWord(f"“{word}” cannot be the word that stops. Choose a word such as STOP or NOMORE.")


def remember_stop_word(*, sender_number_id: int, word: str, now: datetime) -> None:
    """Recognise a campaign's own stop word on its number from now on. Raises UnusableStopWord."""
    check_stop_word(word)
    if keyword_of(word) is None:
        StopWord.objects.get_or_create(
            organization_id=current_organization_id(),
            sender_number_id=sender_number_id,
            word=normalise(word),
            defaults={"created_at": now},
        )
