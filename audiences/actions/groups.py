"""Making, changing and deleting target groups."""

from datetime import datetime

from accounts.actions import audit
from audiences.models import TargetGroup
from audiences.queries import all_conditions, groups_asking_for, predicate_of, target_groups
from audiences.rules.conditions import Group, GroupRefused, check_loops, from_json, to_json
from common.actor import Actor
from common.sql import hold
from common.tenancy import current_organization_id

LONGEST_NAME = 120


def save_group(
    conditions: Group, *, name: str, actor: Actor, now: datetime, group_id: int | None = None
) -> TargetGroup:
    """Keep conditions under a name, as a new target group or in place of those that one has.

    Raises GroupRefused where they cannot be evaluated, the name is missing or taken, or the group would ask for itself.
    """
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise GroupRefused("Give the target group a name: you find it by it later.", field="name")
    if len(name) > LONGEST_NAME:
        raise GroupRefused(f"The name has more than {LONGEST_NAME} characters. Shorten it.", field="name")
    conditions = from_json(to_json(conditions))
    hold(f"target-groups:{current_organization_id()}")  # of two that come to name each other the second is refused
    if target_groups().filter(name=name).exclude(id=group_id or 0).exists():
        raise GroupRefused(f"There is a target group “{name}” already. Choose another name.", field="name")
    if group_id is not None:
        check_loops(group_id, conditions, all_conditions())
    predicate_of(conditions, now=now, group_id=group_id)
    if group_id is None:
        found: TargetGroup = TargetGroup.objects.create(
            organization_id=current_organization_id(),
            name=name,
            conditions=to_json(conditions),
            created_at=now,
            updated_at=now,
        )
        audit(action="target_group.made", subject=found, actor=actor, now=now, name=name)
        return found
    found = TargetGroup.objects.get(id=group_id)
    found.name, found.conditions, found.updated_at = name, to_json(conditions), now
    found.save()
    audit(action="target_group.changed", subject=found, actor=actor, now=now, name=name)
    return found


def delete_group(group_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget the conditions; the people stay. Raises GroupRefused where another target group asks for this one."""
    hold(f"target-groups:{current_organization_id()}")
    found = TargetGroup.objects.get(id=group_id)
    if others := groups_asking_for(group_id):
        named = ", ".join(f"“{name}”" for name in others[:3])
        raise GroupRefused(f"Other target groups ask for this one: {named}. Change them first.")
    audit(action="target_group.deleted", subject=found, actor=actor, now=now, name=found.name)
    found.delete()
