from django.db import models

from common.tenancy import TenantModel


class Conversation(TenantModel):
    """Everything between one of our numbers and one phone; opened by the first text that comes in."""

    sender_number_id = models.BigIntegerField()
    phone = models.CharField(max_length=16)
    last_text = models.TextField()
    last_received_at = models.DateTimeField()
    unread = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["sender_number_id", "phone"], name="one_conversation")]
        indexes = [
            models.Index(fields=["organization", "-last_received_at", "-id"], name="conversations_in_order"),
            models.Index(fields=["organization"], name="conversations_unread", condition=models.Q(unread__gt=0)),
        ]
