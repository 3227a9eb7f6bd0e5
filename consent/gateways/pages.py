"""Reading a page that a tenant names: only from public addresses, never from our own network (SSRF)."""

import asyncio
import ipaddress
import socket
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

LARGEST = 1024 * 1024
SECONDS = 10
REDIRECTS = 5
_PORTS = {None, 80, 443}


class PageRefused(Exception):
    """The page cannot be read; the words say why."""


def read_page(url: str) -> str:
    """The text of a page, at most LARGEST bytes of it. Raises PageRefused."""
    try:
        return asyncio.run(_read(url))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise PageRefused("it does not answer") from error


async def _read(url: str) -> str:
    connector = aiohttp.TCPConnector(resolver=_PublicResolver(), family=socket.AF_INET)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    headers = {"User-Agent": "Carillon link check"}
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:
        for _ in range(REDIRECTS):
            _check(url)
            async with session.get(url, allow_redirects=False) as answer:
                if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                    url = urljoin(url, answer.headers["Location"])
                    continue
                if answer.status != 200:
                    raise PageRefused(f"it answers with {answer.status}")
                content = await answer.content.read(LARGEST)
                return content.decode(answer.get_encoding() or "utf-8", "replace")
    raise PageRefused("it sends one on and on")


def _check(url: str) -> None:
    parts = urlsplit(url)
    if settings.LINK_CHECK_PRIVATE:
        return
    if parts.scheme not in ("http", "https") or parts.port not in _PORTS or not parts.hostname or parts.username:
        raise PageRefused("it is no public page")
    try:  # an address in figures is never asked of the resolver
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return
    if not _is_public(str(literal)):
        raise PageRefused("it is no public page")


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return found.version == 4 and found.is_global and not found.is_multicast


class _PublicResolver(AbstractResolver):
    """Names lead to public addresses or nowhere: what is looked up is what is connected to, so no second answer."""

    def __init__(self) -> None:
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, socket.AF_INET)
        public = [one for one in found if settings.LINK_CHECK_PRIVATE or _is_public(one["host"])]
        if not public:
            raise OSError(f"{host} is not public")
        return public

    async def close(self) -> None:
        await self._inner.close()
