"""The builder of conditions: a form that works without any script, each change a round trip.

Every node of the tree has a path: "" is the whole, "0" its first part, "0.1" the second part of that. The form says
`node` for each (a path, ":c" for a condition, ":g" for a group) in their order, and for each `what-`, `how-`, `value-`
or `every-` with the path behind. What was pressed comes as `do`: "add:0", "group:0", "remove:0.1".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.http import QueryDict

from audiences.rules.conditions import DEEPEST, MOST_CONDITIONS, Condition, Group, Node
from audiences.rules.questions import HOWS, Question, Takes, first_how

_PATH = re.compile(r"\d{1,3}(\.\d{1,3}){0,5}")


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A node of the tree as the page shows it: a group with its parts, or a condition with its fields."""

    path: str
    every: bool | None = None
    parts: tuple["Part", ...] = ()
    may_nest: bool = False
    label: str = ""
    what: str = ""
    whats: tuple[tuple[str, tuple[Choice, ...]], ...] = ()
    hows: tuple[Choice, ...] = ()
    takes: str = Takes.NOTHING.value
    values: tuple[str, ...] = ()
    options: tuple[Choice, ...] = ()


@dataclass
class Builder:
    """Conditions that are being put together, whole or not."""

    questions: Mapping[str, Question]
    group: Group = field(default_factory=Group)

    @classmethod
    def empty(cls, questions: Mapping[str, Question]) -> "Builder":
        """With one condition to begin with."""
        builder = cls(questions)
        return cls(questions, Group(True, (builder._blank(),)))

    @classmethod
    def posted(cls, questions: Mapping[str, Question], data: QueryDict) -> "Builder":
        """What the page says, with what was pressed done to it."""
        builder = cls(questions)
        nodes = [node.rpartition(":") for node in data.getlist("node")[: MOST_CONDITIONS * 2]]
        kinds = {path: kind for path, _, kind in nodes if _PATH.fullmatch(path) and kind in ("c", "g")}
        builder.group = builder._group(data, kinds, "")
        verb, _, path = data.get("do", "").partition(":")
        if verb in ("add", "group", "remove"):
            where = [int(one) for one in path.split(".")] if _PATH.fullmatch(path) else []
            builder.group = _changed(builder.group, where, verb, builder._blank())
        return builder

    def parts(self) -> Part:
        """The tree as the page shows it."""
        return self._part(self.group, "", 1)

    def _blank(self) -> Condition:
        first = next(iter(self.questions.values()))
        return Condition(first.key, first_how(first.kind))

    def _group(self, data: QueryDict, kinds: Mapping[str, str], path: str) -> Group:
        depth = path.count(".") + 2 if path else 1
        inside = [one for one in kinds if one.rpartition(".")[0] == path and one != path]
        of: list[Node] = []
        for one in inside:
            if kinds[one] == "c":
                of.append(self._condition(data, one))
            elif depth < DEEPEST:
                of.append(self._group(data, kinds, one))
        return Group(data.get(f"every-{path}", "all") != "any", tuple(of))

    def _condition(self, data: QueryDict, path: str) -> Condition:
        what = data.get(f"what-{path}", "")
        question = self.questions.get(what)
        if question is None:
            return self._blank()
        how = data.get(f"how-{path}", "")
        if what != data.get(f"was-{path}", what):  # another question: what was written answers the former one
            return Condition(what, first_how(question.kind))
        if how not in HOWS[question.kind]:
            how = first_how(question.kind)
        return Condition(what, how, tuple(value.replace("\x00", "").strip() for value in data.getlist(f"value-{path}")))

    def _part(self, node: Node, path: str, depth: int) -> Part:
        if isinstance(node, Group):
            parts = tuple(
                self._part(one, f"{path}.{place}" if path else str(place), depth + 1)
                for place, one in enumerate(node.of)
            )
            return Part(path, every=node.every, parts=parts, may_nest=depth < DEEPEST)
        question = self.questions.get(node.what)
        if question is None:  # a field that is gone: it is shown, and choosing another one mends it
            gone = Choice(node.what, "a field that is gone", True)
            return Part(path, label="Condition", what=node.what, whats=(("", (gone,)), *self._whats(node.what)))
        how = HOWS[question.kind].get(node.how)
        hows = tuple(Choice(key, one.words, key == node.how) for key, one in HOWS[question.kind].items())
        chosen = set(node.values)
        return Part(
            path,
            label=question.label,
            what=node.what,
            whats=self._whats(node.what),
            hows=hows,
            takes=how.takes.value if how is not None else Takes.NOTHING.value,
            values=(*node.values, "", "")[: max(2, len(node.values))],
            options=tuple(Choice(value, label, value in chosen) for value, label in question.options or ()),
        )

    def _whats(self, what: str) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
        headings: dict[str, list[Choice]] = {}
        for question in self.questions.values():
            chosen = Choice(question.key, question.label, question.key == what)
            headings.setdefault(question.heading, []).append(chosen)
        return tuple((heading, tuple(choices)) for heading, choices in headings.items())


def _changed(group: Group, path: list[int], verb: str, blank: Condition) -> Group:
    """The tree with something added to a group of it, or a node of it removed; a path that is none changes nothing."""
    if not path:
        added: Node = Group(not group.every, (blank,)) if verb == "group" else blank
        return group if verb == "remove" else replace(group, of=(*group.of, added))
    first, *rest = path
    if first >= len(group.of):
        return group
    if verb == "remove" and not rest:
        return replace(group, of=(*group.of[:first], *group.of[first + 1 :]))
    inner = group.of[first]
    if not isinstance(inner, Group):
        return group
    return replace(group, of=(*group.of[:first], _changed(inner, rest, verb, blank), *group.of[first + 1 :]))
