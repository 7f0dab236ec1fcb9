"""Which proxy of the environment a server is reached through, and the words for it when that is the trouble.

HTTP libraries look at every proxy the environment names, also at those meant for other servers, and break off at the
first they cannot use. Here one is chosen for one server, or none.
"""

from __future__ import annotations

import ipaddress
import urllib.request
from urllib.parse import urlsplit


def proxy_for(url: str) -> tuple[str, str] | None:
    """Return (variable, address) of the environment's proxy for a server, or None where it is reached directly.

    This machine never needs a proxy; for others NO_PROXY is heeded.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    known = urllib.request.getproxies()
    if urllib.request.proxy_bypass(f"{host}:{parts.port}" if parts.port else host):
        return None
    kind = next((kind for kind in (parts.scheme, "all") if known.get(kind)), None)
    return (f"{kind.upper()}_PROXY", known[kind]) if kind is not None else None


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine."""
    try:
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def through_proxy(url: str) -> str:
    """Return words for a message that say through which proxy a server is reached; empty where there is none.

    The proxy's address is left out: it may hold a password.
    """
    proxy = proxy_for(url)
    return f" through the proxy in {proxy[0]} (NO_PROXY names the hosts it is not for)" if proxy else ""


def unusable_proxy(url: str, proxy: tuple[str, str] | None) -> str:
    """Return a sentence about a client that could not be made, and what to do about its proxy."""
    if proxy is None:
        return "a client cannot be made for it"
    variable, scheme = proxy[0], proxy[1].partition("://")[0]
    needs = "; for SOCKS also: pip install socksio" if scheme.startswith("socks5") else ""
    return (
        f"the proxy in {variable} ({scheme}://...) cannot be used; unset it, or put "
        f"{urlsplit(url).hostname} into NO_PROXY{needs}"
    )
