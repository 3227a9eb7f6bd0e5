"""Which role may do what: one table, asked by views and API alike (../docs/architecture.md)."""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "OWNER"
    ADMINISTRATOR = "ADMINISTRATOR"
    MANAGER = "MANAGER"
    AGENT = "AGENT"
    VIEWER = "VIEWER"


class StaffRole(StrEnum):
    """Staff of the platform, beside any membership."""

    REVIEWER = "REVIEWER"
    OPERATOR = "OPERATOR"


class Permission(StrEnum):
    HOME_VIEW = "home.view"
    CAMPAIGNS_VIEW = "campaigns.view"
    CAMPAIGNS_CREATE = "campaigns.create"
    CONTACTS_VIEW = "contacts.view"
    CONTACTS_EDIT = "contacts.edit"
    PROGRAMS_VIEW = "programs.view"
    PROGRAMS_EDIT = "programs.edit"
    NUMBERS_VIEW = "numbers.view"
    NUMBERS_REGISTER = "numbers.register"
    BILLING_VIEW = "billing.view"
    CONVERSATIONS_VIEW = "conversations.view"
    CONVERSATIONS_REPLY = "conversations.reply"
    TEMPLATES_USE = "templates.use"
    TEMPLATES_SHARE = "templates.share"
    SETTINGS_EDIT = "settings.edit"
    PEOPLE_MANAGE = "people.manage"
    ORGANIZATION_CLOSE = "organization.close"


_LOOK = frozenset(
    {
        Permission.HOME_VIEW,
        Permission.CAMPAIGNS_VIEW,
        Permission.CONTACTS_VIEW,
        Permission.PROGRAMS_VIEW,
        Permission.NUMBERS_VIEW,
        Permission.CONVERSATIONS_VIEW,
    }
)
_AGENT = frozenset(
    {
        Permission.HOME_VIEW,
        Permission.CONTACTS_VIEW,
        Permission.CONVERSATIONS_VIEW,
        Permission.CONVERSATIONS_REPLY,
        Permission.TEMPLATES_USE,
    }
)
_MANAGER = _LOOK | _AGENT | {Permission.CONTACTS_EDIT, Permission.TEMPLATES_SHARE}
_ADMINISTRATOR = frozenset(Permission) - {Permission.ORGANIZATION_CLOSE}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMINISTRATOR: _ADMINISTRATOR,
    Role.MANAGER: _MANAGER,
    Role.AGENT: _AGENT,
    Role.VIEWER: _LOOK,
}


def allows(role: Role, permission: Permission) -> bool:
    return permission in PERMISSIONS[role]
