"""Reading a page that a tenant names: only from public addresses, never from our own network (SSRF)."""

import asyncio
import ipaddress
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings
from yarl import URL

LARGEST = 1024 * 1024
SECONDS = 10
REDIRECTS = 5


class PageRefused(Exception):
    """The page cannot be read; the words say why."""


def read_page(url: str) -> str:
    """The text of a page, at most LARGEST bytes of it. Raises PageRefused."""
    try:
        return asyncio.run(asyncio.wait_for(_read(URL(url)), SECONDS))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, TypeError) as error:
        raise PageRefused("it does not answer") from error


async def _read(url: URL) -> str:
    connector = aiohttp.TCPConnector(resolver=_PublicResolver(), family=socket.AF_INET)
    headers = {"User-Agent": "Carillon link check", "Accept-Encoding": "identity"}
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    # Unpacking is left out: a small answer could become a large one.
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=headers, auto_decompress=False
    ) as session:
        for _ in range(REDIRECTS):
            _check(url)
            async with session.get(url, allow_redirects=False) as answer:
                if answer.status in (301, 302, 303, 307, 308) and "Location" in answer.headers:
                    url = url.join(URL(answer.headers["Location"]))
                    continue
                if answer.status != 200:
                    raise PageRefused(f"it answers with {answer.status}")
                return await _content(answer)
    raise PageRefused("it sends one on and on")


async def _content(answer: aiohttp.ClientResponse) -> str:
    content = b""
    while len(content) < LARGEST and (piece := await answer.content.read(LARGEST - len(content))):
        content += piece
    try:
        return content.decode(answer.charset or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _check(url: URL) -> None:
    """The very object that is asked for: what a name is made of it (IDNA, full-width figures) has been made by now."""
    if settings.LINK_CHECK_PRIVATE:
        return
    host = url.raw_host
    if url.scheme not in ("http", "https") or url.port not in (80, 443) or not host or url.user:
        raise PageRefused("it is no public page")
    try:  # an address in figures is never asked of the resolver
        literal = ipaddress.ip_address(host)
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
