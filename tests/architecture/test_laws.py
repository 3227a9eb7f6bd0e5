"""The laws of docs/architecture.md that a machine can guard."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from common.tenancy import TenantModel, across_organizations
from config.processes import PROCESSES
from tests.servers import ROOT

PRODUCT = [
    path
    for path in sorted(ROOT.glob("*/**/*.py"))
    if not {"tests", "bench", "node_modules", ".venv", "migrations", "scripts"} & set(path.relative_to(ROOT).parts)
]
TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]
# Tables without an organization, each with its reason.
WITHOUT_ORGANIZATION = {
    "accounts_user": "a person may belong to several",
    "accounts_organization": "is the tenant; its policy is on its own id",
    "billing_plan": "prices are the platform's",
    "events_cursor": "a consumer reads the events of all",
    "messaging_carrierevent": "a callback names an account, not a tenant",
    "messaging_carrierinbound": "likewise",
    "messaging_lane": "dispatchers serve all",
    "messaging_dispatcher": "likewise",
    "messaging_dispatchguard": "there is one database",
    "messaging_carrieroutage": "a carrier serves all; every tenant may know that it is away",
    "senders_carrieraccount": "the platform's own have none",
}
PLATFORM_ONLY = {
    "messaging_dispatchguard",
    *("events_cursor", "messaging_carrierevent", "messaging_carrierinbound", "messaging_lane", "messaging_dispatcher"),
}


def test_import_contracts() -> None:
    """The stack, the kinds of file and the simulator's independence, by import-linter."""
    lint = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_table_of_ours_has_an_organization_or_a_reason() -> None:
    ours = {path.parent.name for path in ROOT.glob("*/apps.py")}
    tables = {model._meta.db_table for model in apps.get_models() if model._meta.app_label in ours}
    tenants = {model._meta.db_table for model in TENANT_MODELS}
    assert tables - tenants == set(WITHOUT_ORGANIZATION)


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_every_tenant_table_has_its_policies(db: None, model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity FROM pg_class WHERE relname = %s", [model._meta.db_table])
        assert cursor.fetchone() == (True,)
        cursor.execute(
            "SELECT policyname, qual, with_check FROM pg_policies WHERE tablename = %s ORDER BY policyname",
            [model._meta.db_table],
        )
        platform, tenant = cursor.fetchall()
    assert platform == ("platform", "true", "true")
    assert tenant[0] == "tenant"
    assert "carillon.organization" in tenant[1]
    assert tenant[1] == tenant[2]


@pytest.mark.parametrize("table", sorted(PLATFORM_ONLY))
def test_the_platforms_tables_are_invisible_to_tenants(db: None, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT policyname FROM pg_policies WHERE tablename = %s", [table])
        assert cursor.fetchall() == [("platform",)]
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (0,)


def test_the_application_owns_nothing(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchall() == [("carillon_owner",)]


def test_keys_between_tenant_tables_are_over_organization_and_id(db: None) -> None:
    """An unenforced key is a choice for hot tables (queued by the product itself); every other one is composite."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'"
        )
        enforced = cursor.fetchall()
    missing = []
    for model in TENANT_MODELS:
        for field in model._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey) or not issubclass(field.related_model, TenantModel):
                continue
            key = f"FOREIGN KEY (organization_id, {field.column})"
            if not any(table == model._meta.db_table and key in definition for table, definition in enforced):
                missing.append((model._meta.db_table, field.column))
    assert missing == [("contacts_listmember", "contact_list_id")]


def test_scope_is_lifted_only_with_a_reason() -> None:
    for path in PRODUCT:
        for match in re.finditer(r"across_organizations\((.*)\)", path.read_text()):
            assert "because" in match[1] or path.name == "tenancy.py", path


def test_nothing_of_the_product_swallows_every_error() -> None:
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            ):
                raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                assert raises, f"{path}:{node.lineno}"


def test_migrations_say_what_the_models_say(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_models_have_no_logic_in_save_and_no_signals() -> None:
    for path in PRODUCT:
        text = path.read_text()
        assert not re.search(r"def save\(self", text), path
        assert "django.db.models.signals" not in text, path


def test_rules_do_not_look_at_the_clock() -> None:
    for path in PRODUCT:
        if "rules" in path.parts:
            assert not re.search(r"datetime\.now|time\.time\(|common import clock|common\.clock", path.read_text()), (
                path
            )


def test_public_functions_of_actions_take_keywords_and_say_what_they_do() -> None:
    for path in PRODUCT:
        if "actions" not in (*path.parts, path.stem):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert len(node.args.args) <= 2, f"{path}:{node.lineno} {node.name}"
                assert all(argument.annotation for argument in node.args.args + node.args.kwonlyargs), node.name


def test_compose_starts_the_same_commands() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for kind, process in PROCESSES.items():
        arguments = [argument.format(port=8000, name="compose") for argument in process.arguments]
        command = services[kind]["command"]
        assert command[0] == "python"
        # Inside a container the address is every interface.
        wanted = [re.sub(r"127\.0\.0\.1(:8000)?", r"0.0.0.0\1", argument) for argument in arguments]
        assert command[1:] == wanted


def test_the_tests_see_the_platform_through_its_role(db: None) -> None:
    with across_organizations(because="the test asks who it is"), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("carillon_platform",)
