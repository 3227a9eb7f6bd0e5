from django.db import models

from audiences.rules.exclusions import Reason
from common.tenancy import TenantModel, tenant_key


class Exclusion(TenantModel):
    """Someone in an outreach's audience who is left out; there is no message then."""

    organization = tenant_key(enforced=False)
    outreach_id = models.BigIntegerField()
    quote_id = models.UUIDField(help_text="which quote left them out: a new one replaces the old one whole")
    contact_id = models.BigIntegerField()
    phone = models.CharField(max_length=16, blank=True)
    reason = models.CharField(max_length=20, choices=[(reason.value, reason.value) for reason in Reason])
    detail = models.CharField(max_length=120, blank=True, help_text="the tag without a value, the length reached")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["outreach_id", "quote_id", "contact_id"], name="left_out_once")]


class TargetGroup(TenantModel):
    """Saved conditions over contacts, evaluated when they are used (audiences.rules.conditions says how they read)."""

    name = models.CharField(max_length=120)
    conditions = models.JSONField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="target_group_named_once")]

    def __str__(self) -> str:
        return self.name
