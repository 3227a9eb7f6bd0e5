"""How often something may be done, counted in Valkey: losing the counts costs nothing but patience."""

import ipaddress

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError


def within_rate(name: str, *, limit: int, seconds: int) -> bool:
    """Count one more of `name`; False: there have been more than `limit` in this window of `seconds`."""
    store = Redis.from_url(settings.REDIS_URL)
    try:
        pipe = store.pipeline()
        pipe.incr(f"rate:{name}")
        pipe.expire(f"rate:{name}", seconds, nx=True)
        count, _ = pipe.execute()
    except RedisError:
        return True
    return int(count) <= limit


def visitor_of(address: str) -> str:
    """Who a visitor is as far as counting goes: the address, of IPv6 the network, of which anybody has all."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
