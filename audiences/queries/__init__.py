"""Reads of audiences; every name that other packages use stands here."""

from audiences.queries.groups import (
    EXACT_WITHIN_MS,
    Counted,
    all_conditions,
    count_fitting,
    count_people,
    groups_asking_for,
    predicate_of,
    questions,
    target_groups,
)
from audiences.queries.members import GroupPage, Selection, group_page, selected_after
from audiences.queries.people import (
    Audience,
    Candidate,
    Look,
    Pages,
    audience_size,
    candidates,
    candidates_by_id,
    first_candidates,
    source_of,
)

__all__ = [
    "EXACT_WITHIN_MS",
    "Audience",
    "Candidate",
    "Counted",
    "GroupPage",
    "Look",
    "Pages",
    "Selection",
    "all_conditions",
    "audience_size",
    "candidates",
    "candidates_by_id",
    "count_fitting",
    "count_people",
    "first_candidates",
    "group_page",
    "groups_asking_for",
    "predicate_of",
    "questions",
    "selected_after",
    "source_of",
    "target_groups",
]
