from django.db import models

from common.sql import CurrentTransaction
from common.tenancy import TenantModel, tenant_key


class Event(TenantModel):
    """Something that happened, for those above to hear. `kind` is `noun.past_participle`; append-only."""

    organization = tenant_key(enforced=False)
    kind = models.CharField(max_length=60)
    payload = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    # The writing transaction: readers stop before the oldest one that is still open, so no late commit is passed by.
    transaction_id = models.BigIntegerField(db_default=CurrentTransaction())

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["transaction_id", "id"], name="event_in_order")]


class Cursor(models.Model):
    """How far a consumer has read. No organization: a consumer reads the events of all."""

    consumer = models.CharField(max_length=60, primary_key=True)
    transaction_id = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
