from celery import shared_task

from events.actions import consumers, deliver


@shared_task(name="events.deliver")
def deliver_events() -> None:
    """Hand every consumer what has come since it last looked."""
    for consumer in consumers().values():
        while deliver(consumer):
            pass
