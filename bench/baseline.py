"""What people use instead: one Celery task for each message. A Celery app of its own over the same tables.

`tuned`: one HTTP session for the process, a persistent connection (CELERY_DB_REUSE_MAX), numbers and accounts kept.
`untuned`: what a tutorial has: a new HTTP client and a new connection for each task.
"""

import os
from typing import Any

import requests
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("baseline", set_as_current=False)  # the product's own tasks are not sent through it
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = "baseline"
app.conf.task_routes = {}

_TUNED = os.environ.get("BASELINE", "tuned") == "tuned"
if not _TUNED:
    app.conf["CELERY_DB_REUSE_MAX"] = None  # what nobody sets

_session = requests.Session()
_loaded: dict[tuple[type[Any], int], Any] = {}


def _known(model: type[Any], key: int) -> Any:
    """A row that hardly ever changes: kept by the tuned one, loaded each time by the other."""
    if not _TUNED:
        return model.objects.get(id=key)
    if (model, key) not in _loaded:
        _loaded[(model, key)] = model.objects.get(id=key)
    return _loaded[(model, key)]


@app.task(name="baseline.send")
def send(message_id: int) -> None:
    """Load, check, mark, post, mark: the usual task, with the checks that such code has."""
    from django.db.models import F

    from billing.models import Reservation
    from common.clock import now
    from common.tenancy import across_organizations
    from consent.models import ConsentState, OptOut
    from messaging.models import Message, Stream
    from senders.models import CarrierAccount, SenderNumber

    with across_organizations(because="the baseline serves every organization"):
        message = Message.objects.get(id=message_id)
        stream = _known(Stream, message.stream_id)
        number = _known(SenderNumber, message.sender_number_id)
        account = _known(CarrierAccount, message.carrier_account_id)
        if (
            OptOut.objects.filter(organization_id=message.organization_id, phone=message.phone, lifted_at=None).exists()
            or not ConsentState.objects.filter(
                organization_id=message.organization_id, phone=message.phone, program_id=stream.program_id, granted=True
            ).exists()
        ):
            Message.objects.filter(id=message_id).update(state="SKIPPED")
            return
        if not Message.objects.filter(id=message_id, state="QUEUED").update(state="CLAIMED", claimed_at=now()):
            return
    session = _session if _TUNED else requests.Session()
    answer = session.post(
        f"{account.base_url}/2010-04-01/Accounts/{account.account_sid}/Messages.json",
        data={"To": message.phone, "From": number.sender, "Body": message.body},
        auth=(account.account_sid, account.auth_token),
        timeout=10,
    )
    with across_organizations(because="the baseline serves every organization"):
        Message.objects.filter(id=message_id).update(
            state="ACCEPTED", sid=answer.json()["sid"], accepted_at=now(), captured=True
        )
        Reservation.objects.filter(reference=stream.source).update(captured=F("captured") + message.credits)
