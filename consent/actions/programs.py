"""Programs, the words that join and the words that stop."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.actions import audit
from accounts.queries import current_organization
from common.actor import Actor
from common.errors import DomainError
from common.tenancy import current_organization_id
from consent.models import (
    ConsentRecord,
    OptInRequest,
    Program,
    ProgramKeyword,
    ProgramVersion,
    StopWord,
    default_positive_words,
)
from consent.rules.disclosure import LONGEST_REPLY, SHORTEST_REPLY, Offer, check_opt_in, sells
from consent.rules.keywords import Keyword, keyword_of, normalise, readings, without_accents
from consent.rules.media import Level
from consent.rules.replies import KEEP_WORD
from senders.models import SenderNumber


class ProgramRefused(DomainError):
    """Not as it is. `facts["field"]` names what to change, where it is one thing."""

    code = "program_refused"


class UnusableStopWord(DomainError):
    code = "unusable_stop_word"


@dataclass(frozen=True, slots=True)
class JoinWord:
    """A word that joins the program when it is texted to a number; `posted_at` says where people find it."""

    sender_number_id: int
    word: str
    posted_at: str = ""


@dataclass(frozen=True, slots=True)
class ProgramDetails:
    """What a program says and does beside its opt-in text; empty texts are the offered ones.

    `monthly_cap` texts go to one person in 30 days, None: any number. `form_number_id`: the number that its public
    sign-up page sends from; None: there is no such page.
    """

    use_case: str = ""
    frequency: str = ""
    confirmation_text: str = ""
    help_text: str = ""
    opt_out_text: str = ""
    terms_url: str = ""
    privacy_url: str = ""
    double_opt_in: bool = False
    positive_words: tuple[str, ...] = tuple(default_positive_words())
    monthly_cap: int | None = None
    form_number_id: int | None = None
    join_words: tuple[JoinWord, ...] = ()


_PLAIN = ProgramDetails()


def create_program(
    *,
    name: str,
    level: Level,
    brand: str,
    opt_in_text: str,
    actor: Actor,
    now: datetime,
    details: ProgramDetails = _PLAIN,
) -> Program:
    """Create a program with the first version of its opt-in text. Raises ProgramRefused."""
    program = Program(organization_id=current_organization_id(), level=level, created_at=now)
    _write(program, name=name, brand=brand, opt_in_text=opt_in_text, details=details, now=now)
    audit(action="program.created", subject=program, actor=actor, now=now, name=name, level=level)
    return program


def change_program(
    program_id: int,
    *,
    name: str,
    level: Level,
    brand: str,
    opt_in_text: str,
    details: ProgramDetails,
    actor: Actor,
    now: datetime,
) -> Program:
    """Change a program; an opt-in text that changed is a new version, who agreed to an older one agreed to that.

    Raises ProgramRefused: what people get is not changed once somebody agreed to it (B2, no double dipping).
    """
    program: Program = Program.objects.select_for_update(no_key=True).get(id=program_id)
    if level != program.level:
        waiting = OptInRequest.objects.filter(program=program, state=OptInRequest.State.WAITING)
        if ConsentRecord.objects.filter(program_id=program.id).exists() or waiting.exists():
            raise ProgramRefused(
                f"People agreed to {Level(program.level).value.lower()} texts. Make a new program for the others: "
                "their consent does not carry over.",
                field="level",
            )
        program.level = level
    _write(program, name=name, brand=brand, opt_in_text=opt_in_text, details=details, now=now)
    audit(action="program.changed", subject=program, actor=actor, now=now, version=program.opt_in_version)
    return program


def _write(
    program: Program, *, name: str, brand: str, opt_in_text: str, details: ProgramDetails, now: datetime
) -> None:
    _check_texts(brand, details)
    if details.form_number_id is not None:
        _check_page(brand, Level(program.level), opt_in_text, details)
    words = [normalise(word) for word in details.positive_words if normalise(word)]
    if details.double_opt_in and not words:
        raise ProgramRefused("Name at least one word that confirms, such as YES.", field="positive_words")
    _check_positive_words(program, words)
    new_text = program.id is None or opt_in_text != program.opt_in_text
    if program.id is not None and new_text:
        program.opt_in_version += 1
    if (details.terms_url, details.privacy_url) != (program.terms_url, program.privacy_url):
        program.links_checked_at, program.link_findings = None, []
    program.name, program.brand, program.opt_in_text = name, brand, opt_in_text
    program.use_case, program.frequency = details.use_case, details.frequency
    program.confirmation_text, program.help_text = details.confirmation_text, details.help_text
    program.opt_out_text = details.opt_out_text
    program.terms_url, program.privacy_url = details.terms_url, details.privacy_url
    program.double_opt_in, program.positive_words = details.double_opt_in, words
    program.monthly_cap = details.monthly_cap
    program.form_sender_number_id = details.form_number_id
    if details.form_number_id is not None and program.form_key is None:
        program.form_key = secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            program.save()
    except IntegrityError as error:
        raise ProgramRefused(f"There is a program “{name}” already. Choose another name.", field="name") from error
    if new_text:
        ProgramVersion.objects.create(
            organization_id=program.organization_id,
            program=program,
            version=program.opt_in_version,
            opt_in_text=opt_in_text,
            created_at=now,
        )
    _write_join_words(program, details.join_words, now)


def _check_texts(brand: str, details: ProgramDetails) -> None:
    texts = {"confirmation_text": details.confirmation_text, "help_text": details.help_text}
    for name, text in (texts | {"opt_out_text": details.opt_out_text}).items():
        if len(text) > LONGEST_REPLY:
            raise ProgramRefused(
                f"This text has {len(text)} characters; carriers take {LONGEST_REPLY} at most. Shorten it.", field=name
            )
        if 0 < len(text) < SHORTEST_REPLY:
            raise ProgramRefused(
                f"This text has {len(text)} characters; carriers want {SHORTEST_REPLY} at least. Say more, or leave it "
                "empty for the words in grey.",
                field=name,
            )
    selling = sells(details.opt_out_text, brand=brand)
    if selling:
        raise ProgramRefused(f"Take out “{selling}”: this text may not sell anything.", field="opt_out_text")


def _check_page(brand: str, level: Level, opt_in_text: str, details: ProgramDetails) -> None:
    """Raises ProgramRefused where strangers would agree to words that do not say everything."""
    pages = {"terms_url": (details.terms_url, "terms"), "privacy_url": (details.privacy_url, "privacy policy")}
    for field, (address, name) in pages.items():
        if not address:
            raise ProgramRefused(
                f"A public page links to your {name}. Enter the address, or leave out the public page.", field=field
            )
    offer = Offer(brand, details.use_case, details.frequency, level, details.terms_url, details.privacy_url)
    missing = [item.label.lower() for item in check_opt_in(opt_in_text, offer) if item.missing]
    if missing:
        raise ProgramRefused(
            f"Before strangers agree on a page, the words must say everything. Missing: {', '.join(missing)}. "
            "The check beside the form offers a wording for each.",
            field="opt_in_text",
        )


def _check_positive_words(program: Program, words: Sequence[str]) -> None:
    """Raises ProgramRefused where a word means something else, by its family or to one of the numbers."""
    joins = ProgramKeyword.objects.exclude(program_id=program.id or 0).filter(word__in=words)
    stops = StopWord.objects.filter(word__in=words)
    taken = {*joins.values_list("word", flat=True), *stops.values_list("word", flat=True)}
    for word in words:
        if keyword_of(word) not in (None, Keyword.YES) or word in taken:
            raise ProgramRefused(
                f"“{word.upper()}” means something else already. Choose YES or OK.", field="positive_words"
            )


def _write_join_words(program: Program, wanted: Sequence[JoinWord], now: datetime) -> None:
    kept = {(one.sender_number_id, normalise(one.word)): one for one in wanted if normalise(one.word)}
    for keyword in program.keywords.all():
        one = kept.pop((keyword.sender_number_id, keyword.word), None)
        if one is None:
            keyword.delete()
        elif one.posted_at != keyword.posted_at:
            keyword.posted_at = one.posted_at
            keyword.save(update_fields=["posted_at"])
    for (number_id, word), one in kept.items():
        _check_join_word(program, number_id, word)
        ProgramKeyword.objects.create(
            organization_id=program.organization_id,
            program=program,
            sender_number_id=number_id,
            word=word,
            posted_at=one.posted_at,
            created_at=now,
        )


def _check_join_word(program: Program, number_id: int, word: str) -> None:
    """Raises ProgramRefused where the word means something else, by its family or on its number."""
    number = SenderNumber.objects.filter(id=number_id).first()
    if number is None or number.is_name:
        raise ProgramRefused("Choose one of your numbers for the word: nobody can text to a name.", field="join_words")
    if keyword_of(word) is not None or word == KEEP_WORD:
        raise ProgramRefused(
            f"“{word.upper()}” means something else already, as STOP, START, HELP, YES and KEEP do. Choose a word "
            "such as JOIN.",
            field="join_words",
        )
    confirms = Program.objects.filter(positive_words__contains=[word]).exclude(id=program.id).exists()
    if confirms or word in (*default_positive_words(), *program.positive_words):
        raise ProgramRefused(
            f"“{word.upper()}” confirms a double opt-in: people text it as an answer. Choose a word such as JOIN.",
            field="join_words",
        )
    others = ProgramKeyword.objects.filter(sender_number_id=number_id).select_related("program")
    # A word counts as it is typed and without accents (`readings`): CAFÉ and CAFE may not join two programs.
    taken = next((other for other in others if without_accents(other.word) == without_accents(word)), None)
    if taken is not None:
        raise ProgramRefused(
            f"“{word.upper()}” joins “{taken.program}” on {number} already. Choose another word.", field="join_words"
        )
    own = normalise(current_organization().opt_out_word)
    if word == own or StopWord.objects.filter(sender_number_id=number_id, word=word).exists():
        raise ProgramRefused(f"“{word.upper()}” stops your texts on {number}. Choose another word.", field="join_words")


def check_stop_word(word: str) -> None:
    """Raises UnusableStopWord where the word is empty, no plain word, or means something else already.

    That is START or HELP, KEEP, or an answer that confirms a double opt-in: a stop is looked for before all of them.
    """
    is_tag = any(letter in "{}|" for letter in word)  # it would be filled in for each person
    if is_tag or not normalise(word) or keyword_of(word) not in (None, Keyword.STOP):
        raise UnusableStopWord(f"“{word}” cannot be the word that stops. Choose a word such as STOP or NOMORE.")
    both = set(readings(word))
    confirms = {KEEP_WORD, *default_positive_words()}
    for words in Program.objects.values_list("positive_words", flat=True):
        confirms.update(words)
    if both & {reading for known in confirms for reading in readings(known)}:
        raise UnusableStopWord(
            f"“{word}” is what people answer when they agree, so it cannot stop. Choose a word such as STOP or NOMORE."
        )


def remember_stop_word(*, sender_number_id: int, word: str, now: datetime) -> None:
    """Recognise a campaign's own stop word on its number from now on. Raises UnusableStopWord."""
    check_stop_word(word)
    if keyword_of(word) is None:
        joins = ProgramKeyword.objects.filter(sender_number_id=sender_number_id).values_list("word", flat=True)
        if set(readings(word)) & {reading for join in joins for reading in readings(join)}:
            raise UnusableStopWord(f"“{word}” joins one of your programs on this number. Choose a word such as STOP.")
        for reading in set(readings(word)):  # ADIÓS is typed as ADIOS as well
            StopWord.objects.get_or_create(
                organization_id=current_organization_id(),
                sender_number_id=sender_number_id,
                word=reading,
                defaults={"created_at": now},
            )
