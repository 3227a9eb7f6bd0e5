"""Both walls of the tenancy, each tried with the other one standing and lying down."""

from datetime import datetime

import pytest
from django.db import DatabaseError, transaction

from common.sql import fetch_all, run
from common.tenancy import OutOfScope, across_organizations, current_organization_id, organization_scope
from consent.models import Program
from contacts.models import Contact
from tests.conftest import NOW
from tests.world import World, build_world


@pytest.fixture
def other(world: World, now: datetime) -> World:
    return build_world(now)


def test_a_query_out_of_scope_raises(world: World) -> None:
    with pytest.raises(OutOfScope):
        Contact.objects.count()


def test_a_queryset_read_after_its_scope_raises_rather_than_being_empty(world: World) -> None:
    with world.scope():
        later = Program.objects.all()
    with pytest.raises(OutOfScope):
        list(later)


def test_a_queryset_made_for_one_tenant_is_not_read_in_another(world: World, other: World) -> None:
    with world.scope():
        later = Program.objects.all()
    with other.scope(), pytest.raises(OutOfScope):
        list(later)


def test_a_scope_shows_its_own_rows_alone(world: World, other: World) -> None:
    with world.scope():
        assert [program.id for program in Program.objects.all()] == [world.program.id]


def test_with_the_orms_wall_off_the_role_sees_nothing_of_another_tenant(world: World, other: World) -> None:
    with world.scope():
        assert fetch_all("SELECT organization_id FROM consent_program") == [(world.id,)]
        assert fetch_all("SELECT id FROM accounts_organization") == [(world.id,)]


def test_without_a_scope_the_role_sees_no_tenant_at_all(world: World) -> None:
    assert fetch_all("SELECT id FROM consent_program") == []


def test_another_tenants_row_cannot_be_written(world: World, other: World) -> None:
    with world.scope(), pytest.raises(DatabaseError), transaction.atomic():
        run(
            "INSERT INTO contacts_contactlist (organization_id, name, created_at) VALUES (%s, 'x', %s)", [other.id, NOW]
        )


def test_a_key_to_another_tenants_row_is_refused(world: World, other: World) -> None:
    """A plain foreign key would see it; the composite one does not accept it."""
    with world.scope():
        run("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError), transaction.atomic():
            run(
                "INSERT INTO consent_programversion (organization_id, program_id, version, opt_in_text, created_at)"
                " VALUES (%s, %s, 9, 'x', %s)",
                [world.id, other.program.id, NOW],
            )


def test_scopes_nest_and_come_back(world: World, other: World) -> None:
    with world.scope():
        with organization_scope(other.id):
            assert current_organization_id() == other.id
        with across_organizations(because="the test looks at both"):
            assert Program.objects.filter(id__in=[world.program.id, other.program.id]).count() == 2
        assert fetch_all("SELECT organization_id FROM consent_program") == [(world.id,)]
    assert fetch_all("SELECT id FROM consent_program") == []


def test_a_scope_that_fails_leaves_the_outer_one_standing(world: World, other: World) -> None:
    with world.scope():
        with pytest.raises(ZeroDivisionError), organization_scope(other.id):
            raise ZeroDivisionError
        assert fetch_all("SELECT organization_id FROM consent_program") == [(world.id,)]


def test_the_tests_run_as_the_applications_role(world: World) -> None:
    assert fetch_all("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [
        ("carillon_app", False, False)
    ]
