import pytest

from content.rules.rendering import MissingValue, TemplateError, compile_template, with_way_out

ADA = {"first_name": "Ada", "company": "", "city": "Zu\u0308rich"}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello {{ first_name }}!", "Hello Ada!"),
        ("Hello {{first_name}}!", "Hello Ada!"),
        ("To {{ company|your company }}", "To your company"),
        ("{{ first_name|there }}", "Ada"),
        ("a\r\nb", "a\nb"),
        ("in {{ city }}", "in Zürich"),  # NFC: the composed letter is GSM-7
        ("50 % { off } |", "50 % { off } |"),
        ("", ""),
    ],
)
def test_rendering(source: str, text: str) -> None:
    assert compile_template(source).render(ADA) == text


def test_a_value_that_is_missing_without_fallback_names_its_tag() -> None:
    with pytest.raises(MissingValue, match="company"):
        compile_template("{{ company }}").render(ADA)


@pytest.mark.parametrize(
    ("source", "position", "hint"),
    [
        ("Hi {{ frist_name }}", 3, "first_name"),
        ("Hi {{ custom.points }}", 3, "Known tags"),
        ("Hi {{ first_name", 3, "no partner"),
        ("Hi first_name }}", 14, "no partner"),
        ("{{ first_name.__class__ }}", 0, "first_name"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(source: str, position: int, hint: str) -> None:
    with pytest.raises(TemplateError, match=hint) as refused:
        compile_template(source)
    assert refused.value.position == position


def test_custom_fields_are_tags() -> None:
    template = compile_template("{{ custom.points|0 }} points", custom_fields=frozenset({"points"}))
    assert template.render({"custom.points": "7"}) == "7 points"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Sale!", "Sale!\nReply STOP to stop."),
        ("Sale! Text STOP to end", "Sale! Text STOP to end"),
        ("Stop by today", "Stop by today\nReply STOP to stop."),  # the word is there, the way out is not
        ("Our stopover opens", "Our stopover opens\nReply STOP to stop."),  # the word, not its letters
    ],
)
def test_the_way_out_is_added_once(body: str, text: str) -> None:
    assert with_way_out(body, "STOP") == text
