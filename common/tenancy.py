"""Tenancy: every row of a tenant is read and written inside that tenant's scope, or not at all.

Two walls stand behind each other. `TenantManager` filters every query by the organization in scope and raises out of
scope. Under it PostgreSQL's row-level security shows the application role only rows of the organization named by the
transaction-local setting `carillon.organization`. Both are set by `organization_scope`, which opens the transaction.

`across_organizations(because=...)` lifts both for one transaction by taking the role carillon_platform: sign-in, API
keys, short links, carrier callbacks, staff pages and the dispatcher look up through it.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from django.db import connection, models, transaction
from django.db.migrations.operations import RunSQL

ModelT = TypeVar("ModelT", bound=models.Model, covariant=True)

SETTING = "carillon.organization"
PLATFORM_ROLE = "carillon_platform"


class OutOfScope(RuntimeError):
    """A tenant's rows were asked for without saying which tenant: a programming error, never the user's."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenant in whose name queries run; `organization_id` None means all of them, for the reason given."""

    organization_id: int | None
    because: str = ""


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


@contextlib.contextmanager
def organization_scope(organization_id: int) -> Iterator[None]:
    """Open a transaction that sees and writes the rows of one organization."""
    with _entered(Scope(organization_id)):
        yield


@contextlib.contextmanager
def across_organizations(*, because: str) -> Iterator[None]:
    """Open a transaction that sees and writes the rows of every organization; `because` says why it must."""
    with _entered(Scope(None, because)):
        yield


def current_organization_id() -> int:
    """The organization in scope. Raises OutOfScope, also across organizations."""
    scope = _scope.get()
    if scope is None or scope.organization_id is None:
        raise OutOfScope("No single organization is in scope: open organization_scope(...) first.")
    return scope.organization_id


def in_scope_of(organization_id: int) -> bool:
    """Whether this organization is in scope: the frame of a page asks before it shows the tenant's figures."""
    scope = _scope.get()
    return scope is not None and scope.organization_id == organization_id


@contextlib.contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    former = _scope.get()
    # A transaction of our own ends the settings by itself; inside another one they must be put back by hand.
    nested = connection.in_atomic_block
    with transaction.atomic():
        _tell_database(scope)
        token = _scope.set(scope)
        try:
            yield
        finally:
            _scope.reset(token)
        if nested:
            _tell_database(former)


def _tell_database(scope: Scope | None) -> None:
    organization = "" if scope is None or scope.organization_id is None else str(scope.organization_id)
    role = PLATFORM_ROLE if scope is not None and scope.organization_id is None else "none"
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true), set_config('role', %s, true)", [SETTING, organization, role])


class TenantQuerySet(models.QuerySet[ModelT]):
    """A queryset that refuses to be evaluated outside the scope it was made in."""

    _made_in: Scope | None = None

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]  # the stubs leave Django's internals out
        clone._made_in = self._made_in
        return clone

    def _fetch_all(self) -> None:
        if self._result_cache is None and _scope.get() != self._made_in:
            raise OutOfScope(f"{self.model.__name__}: this query was made in another scope than it is read in.")
        super()._fetch_all()


class TenantManager(models.Manager[ModelT]):
    """Filters by the organization in scope; raises OutOfScope where there is none."""

    def get_queryset(self) -> TenantQuerySet[ModelT]:
        scope = _scope.get()
        if scope is None:
            raise OutOfScope(f"{self.model.__name__} belongs to an organization: open organization_scope(...) first.")
        queryset: TenantQuerySet[ModelT] = TenantQuerySet(self.model, using=self._db)
        queryset._made_in = scope
        if scope.organization_id is not None:
            queryset = queryset.filter(organization_id=scope.organization_id)
        return queryset


def tenant_key(*, enforced: bool = True) -> Any:
    """The column `organization_id`. Hot tables leave the foreign key out: each one costs a look-up for each row."""
    return models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=enforced
    )


class TenantModel(models.Model):
    """A row that belongs to one organization. Its migration carries `TenantPolicy`."""

    organization = tenant_key()

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"


# Migrations --------------------------------------------------------------------------------------------------------

# A function in the policy would be called for each row; the sub-select is evaluated once for each statement.
_IN_SCOPE = f"(SELECT NULLIF(current_setting('{SETTING}', true), '')::bigint)"


class TenantPolicy(RunSQL):
    """Row-level security of tenant tables: the application role sees its organization, the platform role all."""

    def __init__(self, *tables: str, column: str = "organization_id") -> None:
        super().__init__(
            [(_policy_sql(table, f"{column} = {_IN_SCOPE}"), None) for table in tables],
            reverse_sql=[(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", None) for table in tables],
        )


class PlatformPolicy(RunSQL):
    """Row-level security of tables without an organization that only the platform role may see."""

    def __init__(self, *tables: str) -> None:
        super().__init__(
            [(_policy_sql(table, None), None) for table in tables],
            reverse_sql=[(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", None) for table in tables],
        )


class TenantReferences(RunSQL):
    """Foreign keys between tenant tables, over (organization, id): a plain one would accept another tenant's row.

    Each is (table, column, referred table). The Django field says `db_constraint=False`.
    """

    def __init__(self, *references: tuple[str, str, str]) -> None:
        super().__init__(
            [(_reference_sql(*reference), None) for reference in references],
            reverse_sql=[
                (f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_tenant", None)
                for table, column, _referred in references
            ],
        )


class AppendOnly(RunSQL):
    """No update and no delete, for anybody but the owner's audited functions: a trigger refuses them."""

    def __init__(self, *tables: str) -> None:
        super().__init__(
            [(_APPEND_ONLY_FUNCTION, None), *((_append_only_sql(table), None) for table in tables)],
            reverse_sql=[(f"DROP TRIGGER append_only ON {table}", None) for table in tables],
        )


def _policy_sql(table: str, tenant_condition: str | None) -> str:
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY platform ON {table} TO {PLATFORM_ROLE} USING (true) WITH CHECK (true)",
    ]
    if tenant_condition is not None:
        statements.append(
            f"CREATE POLICY tenant ON {table} TO carillon_app"
            f" USING ({tenant_condition}) WITH CHECK ({tenant_condition})"
        )
    return ";\n".join(statements)


def _reference_sql(table: str, column: str, referred: str) -> str:
    return (
        f"CREATE UNIQUE INDEX IF NOT EXISTS {referred}_tenant ON {referred} (organization_id, id);"
        f" ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_tenant FOREIGN KEY (organization_id, {column})"
        f" REFERENCES {referred} (organization_id, id) DEFERRABLE INITIALLY DEFERRED"
    )


_APPEND_ONLY_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$
"""


def _append_only_sql(table: str) -> str:
    return (
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION refuse_change();"
        f" REVOKE UPDATE, DELETE ON {table} FROM carillon_app, {PLATFORM_ROLE}"
    )
