"""Which addresses we call for a merchant: public https, so that nobody makes us knock at doors inside our own house."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

import httpx

# Behind this prefix a gateway of the network reaches any IPv4 address, private ones too (NAT64).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(Exception):
    """The address is not one that we call."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The IP addresses of a host name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


def check_url(url: str, *, allow_loopback: bool) -> httpx.URL:
    """The URL, unless its text alone forbids it: https without credentials, to no private address. Loopback may be
    plain http, where it is allowed at all. Raises AddressRefused."""
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise AddressRefused from error
    if not read.host or read.userinfo or read.fragment:
        raise AddressRefused
    literal = _literal(read.host)
    is_loopback = read.host == "localhost" or (literal is not None and literal.is_loopback)
    if is_loopback and allow_loopback and read.scheme in ("http", "https"):
        return read
    if read.scheme != "https" or is_loopback or (literal is not None and not is_public(literal)):
        raise AddressRefused
    return read


async def address_of(url: httpx.URL, *, allow_loopback: bool, resolver: Resolve = resolve) -> str:
    """The IP address to connect to. A name is looked up once and the answer is what is called, since a name that says
    something else a moment later would lead past this check. Raises AddressRefused, and OSError without an answer."""
    port = url.port or (443 if url.scheme == "https" else 80)
    addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in await resolver(url.host, port)]
    loopback_is_meant = allow_loopback and (url.host == "localhost" or _literal(url.host) is not None)
    if not addresses:
        raise AddressRefused
    for one in addresses:
        if not is_public(one) and not (loopback_is_meant and one.is_loopback):
            raise AddressRefused
    return str(addresses[0])


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is one of the public Internet, also behind an IPv4 address written as IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
        if address in _TRANSLATED or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
