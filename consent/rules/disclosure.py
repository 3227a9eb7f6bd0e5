"""What the words that people agree to must say (B3; CTIA Messaging Principles 5.1), and what our own replies must.

Each item is found in the text, with the place, or missing, with a wording to add.
"""

import re
from dataclasses import dataclass

from consent.rules.law import period, read
from consent.rules.media import Level
from content.rules.segments import measure

LONGEST_REPLY, SHORTEST_REPLY = period("reply_characters").value, period("reply_characters_least").value
"""Characters of a confirmation, help or opt-out text: what a 10DLC campaign's registration takes."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a program offers, as far as its texts must say it. Addresses and phones may be empty."""

    brand: str
    use_case: str
    frequency: str
    level: Level
    terms_url: str = ""
    privacy_url: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a text must say: `found` is the place that says it, else `wording` is what to add."""

    key: str
    label: str
    found: str
    wording: str

    @property
    def missing(self) -> bool:
        return not self.found


def check_opt_in(text: str, offer: Offer) -> list[Item]:
    """The seven items of B3, and for promotional texts that nothing is bought by agreeing, in the order of reading."""
    how_often = _sentence(offer.frequency or "Message frequency varies")
    items = [
        Item("company", "Who texts", _brand(text, offer), f"{offer.brand or 'Your company’s name'}:"),
        Item(
            "use_case",
            "What for",
            _found(_USE_CASE, text) or _literally(offer.use_case, text),
            f"By ticking this box I agree to get texts about {offer.use_case or 'news and offers'}.",
        ),
        Item("frequency", "How often", _often(text, offer), how_often),
        Item("rates", "What it may cost", _found(_RATES, text), "Message and data rates may apply."),
        Item("stop", "How to stop", _found(_STOP, text), "Reply STOP to stop."),
        Item("help", "How to get help", _found(_HELP, text), "Reply HELP for help."),
        Item("terms", "Terms and privacy", _terms(text), _terms_wording(offer)),
    ]
    if offer.level == Level.PROMOTIONAL:
        items.append(
            Item(
                "free",
                "Nobody has to agree",
                _found(_NO_CONDITION, text),
                "Consent is not a condition of any purchase.",
            )
        )
    return items


def offered_opt_in(offer: Offer) -> str:
    """An opt-in text that says all of it, to begin with."""
    by_key = {item.key: item.wording for item in check_opt_in("", offer)}
    first = f"By ticking this box I agree to get texts from {offer.brand} about {offer.use_case or 'news and offers'}."
    order = ("frequency", "rates", "stop", "help", "free", "terms")
    return " ".join([first, *(by_key[key] for key in order if key in by_key)])


@dataclass(frozen=True, slots=True)
class Replies:
    """The three texts that a program answers with; see `offered_replies` for what each must say."""

    confirmation: str
    help: str
    opt_out: str


def offered_replies(offer: Offer, *, name: str) -> Replies:
    """Texts that say what each must, for a program that has none of its own."""
    frequency = _sentence(offer.frequency or "Msg frequency varies")
    return Replies(
        confirmation=f"{offer.brand}: You get {name} by text now. {frequency} Msg & data rates may apply. "
        "Reply HELP for help, STOP to stop.",
        help=f"{offer.brand}: Help with {name}: reply to this number to reach us. Msg & data rates may apply. "
        "Reply STOP to stop.",
        opt_out=f"{offer.brand}: You have been unsubscribed and will receive no more texts. Reply START to come back.",
    )


def check_confirmation(text: str, offer: Offer) -> list[Item]:
    """What the text that welcomes must say (CTIA 5.1.3), and that it can be sent."""
    return [
        Item("company", "Who texts", _brand(text, offer), f"{offer.brand}:"),
        Item("frequency", "How often", _often(text, offer), _sentence(offer.frequency or "Msg frequency varies")),
        Item("rates", "What it may cost", _found(_RATES, text), "Msg & data rates may apply."),
        Item("help", "How to get help", _found(_HELP, text), "Reply HELP for help."),
        Item("stop", "How to stop", _found(_STOP, text), "Reply STOP to stop."),
        _length(text),
    ]


def check_help(text: str, offer: Offer) -> list[Item]:
    """What the answer to HELP must say, and that it can be sent."""
    return [
        Item("company", "Who texts", _brand(text, offer), f"{offer.brand}:"),
        Item("contact", "How to reach you", _found(_CONTACT, text), "Reply to this number to reach us."),
        Item("stop", "How to stop", _found(_STOP, text), "Reply STOP to stop."),
        _length(text),
    ]


def check_opt_out(text: str, offer: Offer) -> list[Item]:
    """What the one confirmation of STOP must say (47 CFR 64.1200(a)(12)): nothing that sells."""
    plain = _without_brand(text, offer)
    selling, maybe = _SELLING.search(plain), _MAYBE_SELLING.search(plain)
    hint = f"Take out “{selling[0]}”: this text may not sell anything." if selling else ""
    if maybe and not selling:
        hint = f"“{maybe[0]}” may read as if you sold something: this text must not."
    return [
        Item("company", "Who texts", _brand(text, offer), f"{offer.brand}:"),
        Item("stopped", "That it is over", _found(_OVER, text), "You will receive no more texts."),
        Item(
            "plain",
            "Nothing that sells or persuades",
            "" if hint else "as it is",
            hint,
        ),
        _length(text),
    ]


def sells(text: str, *, brand: str) -> str:
    """What plainly sells or persuades in an answer to STOP; empty: nothing."""
    offer = Offer(brand, "", "", Level.INFORMATIONAL)
    found = _SELLING.search(_without_brand(text, offer))
    return found[0] if found else ""


def says_not_sold(page: str) -> str:
    """The place of a privacy policy that says that personal data is not sold or shared.

    Empty: there is none, or it says elsewhere that it is, be it as an exception.
    """
    return "" if _found(_SELLS, page) else _found(_SOLD, page)


def _without_brand(text: str, offer: Offer) -> str:
    """A company may be called Best Buy."""
    return re.sub(re.escape(offer.brand), " ", text, flags=re.IGNORECASE) if offer.brand.strip() else text


def _length(text: str) -> Item:
    measured = measure(text)
    fits = SHORTEST_REPLY <= len(text) <= LONGEST_REPLY
    words = f"{len(text)} characters, {measured.segments} segment{'' if measured.segments == 1 else 's'}"
    return Item(
        "length", "Length", words if fits else "", f"Write between {SHORTEST_REPLY} and {LONGEST_REPLY} characters."
    )


def _often(text: str, offer: Offer) -> str:
    return _found(_FREQUENCY, text) or _literally(offer.frequency.strip().rstrip("."), text)


def _brand(text: str, offer: Offer) -> str:
    return _literally(offer.brand, text)


def _plain(text: str) -> str:
    """With the quotes of a typewriter: people type either."""
    return text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')


def _literally(words: str, text: str) -> str:
    """The place where these words stand, as they are written there."""
    at = _plain(text).casefold().find(_plain(words).casefold()) if words.strip() else -1
    return text[at : at + len(words)] if at >= 0 else ""


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(_plain(text))
    return found[0].strip() if found else ""


def _terms(text: str) -> str:
    terms, privacy = re.search(r"\bterms\b|\bT&Cs?\b", text, re.I), re.search(r"\bprivacy\b", text, re.I)
    return f"{terms[0]} … {privacy[0]}" if terms and privacy and _PLACEHOLDER not in text else ""


def _terms_wording(offer: Offer) -> str:
    terms = offer.terms_url or f"{_PLACEHOLDER}/terms"
    privacy = offer.privacy_url or f"{_PLACEHOLDER}/privacy"
    return f"Terms: {terms} Privacy policy: {privacy}"


_PLACEHOLDER = "your-site.example"
"""Stands where an address is still to be filled in: as long as it does, nothing is said."""


def _sentence(words: str) -> str:
    words = words.strip().rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."


_DATA = read("disclosure.toml")


def _compiled(key: str) -> re.Pattern[str]:
    names = _DATA["names"]
    pattern = "|".join(f"(?:{pattern})" for pattern in _DATA[key]["patterns"])
    return re.compile(pattern.replace("{NUMBER}", names["NUMBER"]).replace("{TEXT}", names["TEXT"]), re.IGNORECASE)


_RATES, _FREQUENCY, _USE_CASE = _compiled("rates"), _compiled("frequency"), _compiled("use_case")
_STOP, _HELP, _NO_CONDITION = _compiled("stop"), _compiled("help"), _compiled("free")
_CONTACT, _OVER, _SOLD, _SELLS = _compiled("contact"), _compiled("over"), _compiled("sold"), _compiled("sells")
_SELLING, _MAYBE_SELLING = _compiled("selling"), _compiled("maybe_selling")
