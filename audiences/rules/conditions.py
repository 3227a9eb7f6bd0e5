"""The conditions of a target group: a tree of "all of these" and "any of these", as people build it and as it is kept.

Kept as JSON: a group is {"every": true, "of": [...]}, a condition {"what": "city", "how": "is", "values": ["Miami"]}.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import DomainError

MOST_CONDITIONS = 50
"""In one target group, and ten times as many with the groups that it asks for."""

DEEPEST = 3
"""Groups within groups of one target group: what can still be read."""

MOST_VALUES = 500
LONGEST_VALUE = 4_000
IN_GROUP = "group"
"""What a condition asks that names other target groups."""


class GroupRefused(DomainError):
    """A target group that cannot be evaluated; says what to change."""

    code = "target_group_refused"


@dataclass(frozen=True, slots=True)
class Condition:
    """A question about a person (`what`), the kind of comparison (`how`), and what with."""

    what: str
    how: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """`every`: all of them must hold; else any one is enough."""

    every: bool = True
    of: tuple["Node", ...] = ()


Node = Condition | Group


def conditions_in(group: Group) -> Iterator[Condition]:
    """Every condition of the tree, in its order."""
    for node in group.of:
        if isinstance(node, Group):
            yield from conditions_in(node)
        else:
            yield node


def groups_named(group: Group) -> frozenset[int]:
    """The other target groups that the conditions ask for."""
    named = (value for one in conditions_in(group) if one.what == IN_GROUP for value in one.values)
    return frozenset(int(value) for value in named if value.isdecimal())


def to_json(group: Group) -> dict[str, Any]:
    """As it is kept."""
    return {"every": group.every, "of": [_node_to_json(node) for node in group.of]}


def from_json(kept: Any) -> Group:
    """What was kept, or what a program sends. Raises GroupRefused where it is no tree of conditions."""
    found = _group_from(kept, 1)
    if sum(1 for _ in conditions_in(found)) > MOST_CONDITIONS:
        raise GroupRefused(f"A target group has at most {MOST_CONDITIONS} conditions. Make two groups of them.")
    return found


def check_loops(group_id: int, conditions: Group, others: Mapping[int, Group]) -> None:
    """Raises GroupRefused where a target group would ask for itself, straight or by way of `others`."""
    seen: set[int] = set()
    ahead = list(groups_named(conditions))
    while ahead:
        one = ahead.pop()
        if one == group_id:
            raise GroupRefused("A target group cannot ask for itself, nor for a group that asks for it.")
        if one not in seen and one in others:
            seen.add(one)
            ahead.extend(groups_named(others[one]))


def _node_to_json(node: Node) -> dict[str, Any]:
    if isinstance(node, Group):
        return to_json(node)
    return {"what": node.what, "how": node.how, "values": list(node.values)}


def _group_from(kept: Any, depth: int) -> Group:
    if depth > DEEPEST:
        raise GroupRefused(f"Groups lie at most {DEEPEST} deep. Name a part of it as a target group of its own.")
    if not isinstance(kept, Mapping) or not isinstance(kept.get("every"), bool) or not _is_list(kept.get("of")):
        raise GroupRefused('A group says {"every": true or false, "of": [...]}.')
    if len(kept["of"]) > MOST_CONDITIONS:
        raise GroupRefused(f"A target group has at most {MOST_CONDITIONS} conditions. Make two groups of them.")
    return Group(kept["every"], tuple(_node_from(node, depth) for node in kept["of"]))


def _node_from(kept: Any, depth: int) -> Node:
    if isinstance(kept, Mapping) and "of" in kept:
        return _group_from(kept, depth + 1)
    if not isinstance(kept, Mapping):
        raise GroupRefused('A condition says {"what": ..., "how": ..., "values": [...]}.')
    what, how, values = kept.get("what"), kept.get("how"), kept.get("values", [])
    if not isinstance(what, str) or not isinstance(how, str) or not _is_list(values):
        raise GroupRefused('A condition says {"what": ..., "how": ..., "values": [...]}.')
    if len(values) > MOST_VALUES or not all(isinstance(one, str) and len(one) <= LONGEST_VALUE for one in values):
        raise GroupRefused(f"A condition takes at most {MOST_VALUES} values of {LONGEST_VALUE} characters.")
    return Condition(what, how, tuple(one.replace("\x00", "").strip() for one in values))


def _is_list(kept: Any) -> bool:
    return isinstance(kept, Sequence) and not isinstance(kept, str)
