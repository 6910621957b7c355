"""What a host name says about an endpoint: this machine, a private network, a known service."""

import ipaddress
from urllib.parse import urlsplit

_PRIVATE_SUFFIXES = (".local", ".internal", ".lan", ".home.arpa", ".localhost")


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine: text sent to it never touches a network."""
    name = _bare(host)
    address = _address(name)
    return address.is_loopback if address else name == "localhost" or name.endswith(".localhost")


def is_private(host: str) -> bool:
    """Say whether a host is this machine or one of its own network: nobody bills for it."""
    name = _bare(host)
    address = _address(name)
    if address:
        return address.is_loopback or address.is_private or address.is_link_local
    return "." not in name or name.endswith(_PRIVATE_SUFFIXES)


def is_within(host: str, domain: str) -> bool:
    """Say whether a host is a domain or lies below it."""
    name = _bare(host)
    return name == domain or name.endswith("." + domain)


def host_of(url: str) -> str:
    """The host name of a URL, without port; empty where the URL is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _bare(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
