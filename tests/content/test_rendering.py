import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{{ link }}", "https://"),
        ("{{ link|http://example.org }}", "https://"),
        ("{{ link|https://nowhere }}", "https://"),
        ("{{ link|javascript:alert(1) }}", "https://"),
        ("{{ link|https://ada:secret@example.org }}", "user name"),
        ("{{ link|https://example.org:8443/ }}", "port"),
        ("{{ link|https://example.org/a b }}", "https://"),
        ("{{ link|https://[::1/ }}", "https://"),
        ("{{ link|https://example.org }}" * 6, "at most 5"),
        ("{{ link|https://example.org/" + "x" * 2000 + " }}", "2000"),
    ],
)
def test_only_whole_addresses_become_links(source: str, hint: str) -> None:
    with pytest.raises(TemplateError, match=hint):
        compile_template(source)


def test_links_and_fields_stand_where_they_were_written() -> None:
    template = compile_template("{{ link|https://example.org/a }} {{ city }} 100% {{ link|https://example.org/b }}")
    assert template.render({"city": "%s"}, ("X", "Y")) == "X %s 100% Y"
    assert template.render({"city": "Rome"}) == "https://example.org/a Rome 100% https://example.org/b"


def test_what_is_the_same_for_everybody_is_written_once() -> None:
    template = compile_template(
        "{{ organization|us }} 5% {{ city }}", constants={"organization": "100% Bakery {{ city }}"}
    )
    assert template.fields == ("city",)
    assert template.render({"city": "Rome"}) == "100% Bakery {{ city }} 5% Rome"


NAMES = st.sampled_from(["first_name", "company", "phone", "nosuch", "link", "", "custom.points", "a|b"])
SOURCES = st.lists(
    st.text(max_size=20) | NAMES.map("{{{{ {} }}}}".format) | NAMES.map("{{{{{}|there}}}}".format) | st.just("{{"),
    max_size=8,
).map("".join)


@given(SOURCES, st.dictionaries(NAMES, st.text(max_size=40)))
def test_rendering_never_fails_in_another_way(source: str, values: dict[str, str]) -> None:
    """Whatever is typed and whoever it is for: a text, a refusal of the template, or a person left out."""
    text, position, missing = "", 0, ""
    try:
        text = compile_template(source, custom_fields=frozenset({"points"})).render(values)
    except TemplateError as error:
        position = error.position
    except MissingValue as error:
        missing = error.tag
    assert 0 <= position < max(len(source), 1)
    assert not values.get(missing) or not missing
    assert "\r\n" not in text
    assert text == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("source", ["{{" * 500_000, "{{ a" * 300_000, "{{" + " " * 1_000_000, "x" * 10_000_000])
def test_a_huge_paste_is_read_in_no_time(source: str) -> None:
    """The pattern has no two ways to read the same characters: the time grows with the length alone."""
    try:
        compile_template(source)
    except TemplateError:
        return
    assert "{{" not in source
