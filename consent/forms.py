"""Programs, as a person writes them."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import URLValidator

from consent.actions import JoinWord, ProgramDetails
from consent.models import Program, default_positive_words
from consent.rules.disclosure import (
    LONGEST_REPLY,
    Item,
    Offer,
    check_confirmation,
    check_help,
    check_opt_in,
    check_opt_out,
    offered_replies,
)
from consent.rules.keywords import normalise
from consent.rules.media import Level

_ADDRESS = URLValidator(schemes=["https", "http"])


def _area(label: str, rows: int, help_text: str, *, longest: int | None = None, required: bool = True) -> Any:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, widget=widget, help_text=help_text, max_length=longest, required=required)


class ProgramForm(forms.Form):
    name = forms.CharField(max_length=120, label="What is it called?", help_text="Such as “Office updates”.")
    level = forms.ChoiceField(
        choices=[
            (Level.INFORMATIONAL, "Information: reminders, opening hours, answers"),
            (Level.PROMOTIONAL, "Promotion: offers and news that sell something"),
        ],
        label="What do people get?",
    )
    brand = forms.CharField(max_length=120, label="The name people know you by", required=False)
    use_case = forms.CharField(
        max_length=160,
        label="What are the texts about?",
        required=False,
        help_text="Such as “offers and new flavors”.",
    )
    frequency = forms.CharField(
        max_length=80, label="How often do you text?", required=False, help_text="Such as “up to 4 texts a month”."
    )
    terms_url = forms.CharField(max_length=300, label="Address of your terms", required=False)
    privacy_url = forms.CharField(
        max_length=300,
        label="Address of your privacy policy",
        required=False,
        help_text="It must say that you do not sell or share people’s data. We look at both pages.",
    )
    opt_in_text = _area(
        "The words people agree to",
        5,
        "As on your form: your name, how often you text, “Msg & data rates may apply”, HELP, STOP, "
        "and where terms and privacy are found.",
    )
    double_opt_in = forms.BooleanField(
        label="Ask everybody who joins to confirm it by a text (double opt-in)", required=False
    )
    positive_words = forms.CharField(
        max_length=200, label="Words that confirm", required=False, help_text="With commas between them."
    )
    number = forms.TypedChoiceField(
        label="Number that people text, and that the sign-up page texts from",
        coerce=int,
        required=False,
        empty_value=None,
    )
    join_words = forms.CharField(
        max_length=200,
        label="Words that join when they are texted to it",
        required=False,
        help_text="Such as JOIN. With commas between them.",
    )
    posted_at = forms.CharField(
        max_length=300,
        label="Where people find these words",
        required=False,
        help_text="Such as “poster at the register”.",
    )
    public_form = forms.BooleanField(label="A public sign-up page of its own", required=False)
    confirmation_text = _area("Welcome, to everybody who joins", 2, "", longest=LONGEST_REPLY, required=False)
    help_text = _area("Answer to HELP", 2, "", longest=LONGEST_REPLY, required=False)
    opt_out_text = _area("Answer to STOP", 2, "Nothing that sells or persuades.", longest=LONGEST_REPLY, required=False)
    monthly_cap = forms.IntegerField(
        label="Most texts for each person in 30 days",
        min_value=1,
        max_value=1000,
        required=False,
        help_text="Leave it empty for no limit: then we only advise.",
    )

    def __init__(
        self,
        *args: Any,
        numbers: list[tuple[int, str]],
        organization: str,
        program: Program | None = None,
        **kwargs: Any,
    ) -> None:
        if program is None:
            words = ", ".join(word.upper() for word in default_positive_words())
            kwargs.setdefault("initial", {"brand": organization, "positive_words": words})
        else:
            kwargs.setdefault("initial", _values_of(program))
        super().__init__(*args, **kwargs)
        self._organization, self._program = organization, program
        self.fields["number"].choices = [("", "none"), *numbers]  # type: ignore[attr-defined]
        offered = offered_replies(self.offer(self.initial), name=str(self.initial.get("name") or "our news"))
        for name in ("confirmation_text", "help_text", "opt_out_text"):
            text = getattr(offered, name.removesuffix("_text"))
            self.fields[name].widget.attrs["placeholder"] = text

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("terms_url", "privacy_url"):
            address = cleaned.get(name) or ""
            if address and "://" not in address:
                address = cleaned[name] = f"https://{address}"
            if address:
                try:
                    _ADDRESS(address)
                except forms.ValidationError:
                    self.add_error(name, "Enter the address of a page, such as https://example.org/privacy.")
        if (cleaned.get("join_words") or cleaned.get("public_form")) and not cleaned.get("number"):
            self.add_error("number", "Choose the number that people text, and that the sign-up page sends from.")
        return cleaned

    def offer(self, values: Mapping[str, Any] | None = None) -> Offer:
        """What the texts must say, as far as it is filled in."""
        said = self.data if values is None else values
        level = said.get("level")
        return Offer(
            brand=str(said.get("brand") or self._organization),
            use_case=str(said.get("use_case") or ""),
            frequency=str(said.get("frequency") or ""),
            level=Level(level) if level in (Level.INFORMATIONAL, Level.PROMOTIONAL) else Level.INFORMATIONAL,
            terms_url=str(said.get("terms_url") or ""),
            privacy_url=str(said.get("privacy_url") or ""),
        )

    def checks(self) -> dict[str, list[Item]]:
        """What each text says and lacks, as it is typed; replies only where one is written."""
        offer = self.offer()
        found = {"opt_in_text": check_opt_in(self.data.get("opt_in_text", ""), offer)}
        replies = {"confirmation_text": check_confirmation, "help_text": check_help, "opt_out_text": check_opt_out}
        for name, check in replies.items():
            text = self.data.get(name, "").strip()
            if text:
                found[name] = check(text, offer)
        return found

    def details(self) -> ProgramDetails:
        """What the form says beside name, level, brand and opt-in text; words of other numbers stay."""
        said = self.cleaned_data
        number = said["number"]
        words = [JoinWord(number, word, said["posted_at"]) for word in _words_in(said["join_words"])] if number else []
        shown = {number or 0, self.initial.get("number") or 0}
        others = self._program.keywords.exclude(sender_number_id__in=shown) if self._program else ()
        kept = [JoinWord(other.sender_number_id, other.word, other.posted_at) for other in others]
        return ProgramDetails(
            use_case=said["use_case"],
            frequency=said["frequency"],
            confirmation_text=said["confirmation_text"],
            help_text=said["help_text"],
            opt_out_text=said["opt_out_text"],
            terms_url=said["terms_url"],
            privacy_url=said["privacy_url"],
            double_opt_in=said["double_opt_in"],
            positive_words=tuple(_words_in(said["positive_words"])) or tuple(default_positive_words()),
            monthly_cap=said["monthly_cap"],
            form_number_id=number if said["public_form"] else None,
            join_words=(*words, *kept),
        )


def _words_in(text: str) -> list[str]:
    return [word for word in re.split(r"[,;\n]", text) if normalise(word)]


def _values_of(program: Program) -> dict[str, Any]:
    first = program.keywords.order_by("id").first()
    number = program.form_sender_number_id or (first.sender_number_id if first else None)
    words = list(program.keywords.filter(sender_number_id=number or 0).order_by("id"))
    plain = "name level brand use_case frequency terms_url privacy_url opt_in_text double_opt_in"
    replies = "confirmation_text help_text opt_out_text monthly_cap"
    return {name: getattr(program, name) for name in f"{plain} {replies}".split()} | {
        "positive_words": ", ".join(word.upper() for word in program.positive_words),
        "number": number,
        "join_words": ", ".join(word.word.upper() for word in words),
        "posted_at": words[0].posted_at if words else "",
        "public_form": program.form_sender_number_id is not None,
    }
