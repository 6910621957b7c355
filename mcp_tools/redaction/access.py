"""Credentials in the places where protocols put them: URLs, authorization headers, connection strings, login files."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mcp_tools.redaction.lazy import Lazy
from mcp_tools.redaction.looks import (
    has_stand_in_word,
    is_dotted_name,
    is_label,
    is_mixed,
    is_random,
    is_stand_in,
    is_words,
)
from mcp_tools.redaction.secret import Secret


@dataclass(frozen=True, slots=True)
class Place:
    """A place where a credential stands: the group `v`. `leads`, in lower case, are the cheap test."""

    kind: str
    name: str
    leads: tuple[str, ...]
    pattern: Lazy
    accepts: Callable[[re.Match[str]], bool]
    reports: Callable[[re.Match[str]], bool]


def leads_in(lowered: str) -> frozenset[str]:
    """The leads that stand in a text in lower case."""
    return frozenset(lead for lead in {lead for place in PLACES for lead in place.leads} if lead in lowered)


def known_places(text: str, lowered: str, leads: frozenset[str] = frozenset()) -> Iterator[Secret]:
    """Every credential in a known place.

    Args:
        text: what is searched.
        lowered: the text in lower case, of the same length.
        leads: the leads of the whole text, where this one is a part of it.
    """
    for place in PLACES:
        if not any(lead in leads or lead in lowered for lead in place.leads):
            continue
        for match in place.pattern.finditer(text):
            if not is_stand_in(match["v"]) and place.accepts(match):
                start, stop = match.span("v")
                yield Secret(place.kind, start, stop, match["v"], place.reports(match), place.name)


def is_user_and_password(value: str) -> bool:
    """Say whether base64 holds `user:password`."""
    try:
        plain = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False
    return ":" in plain[:-1] and plain.isprintable()


def _always(_: re.Match[str]) -> bool:
    return True


def _never(_: re.Match[str]) -> bool:
    return False


def _is_chosen(match: re.Match[str]) -> bool:
    """A password somebody chose, not a word of the documentation."""
    value = match["v"]
    return len(value) >= 6 and not has_stand_in_word(value) and (is_mixed(value) or is_random(value, 10))


def _is_real_url(match: re.Match[str]) -> bool:
    host = re.split(r"[/:?#\s\"'`]", match["host"], maxsplit=1)[0].lower()
    is_sample = re.search(
        r"(?:^|\.)(?:localhost|example|test|invalid|local|domain|host|server)(?:\.|$)|^127\.|^0\.0|^\[", host
    )
    return not is_sample and "." in host and match["v"] != match["user"] and _is_chosen(match)


def _is_password_in_url(match: re.Match[str]) -> bool:
    value = match["v"]
    return not value.isdigit() and not value.startswith(("{", "$", "<", "%(", "[")) and not is_dotted_name(value)


def _holds_random(match: re.Match[str]) -> bool:
    return is_random(match["v"], 16)


def _is_bearer(match: re.Match[str]) -> bool:
    return is_random(match["v"], 16) or (len(match["v"]) >= 12 and is_mixed(match["v"]) and "." not in match["v"])


def _is_chosen_or_drawn(match: re.Match[str]) -> bool:
    value = match["v"]
    return (is_mixed(value) or is_random(value, 8)) and not is_dotted_name(value) and "/" not in value[:1]


def _is_basic(match: re.Match[str]) -> bool:
    return is_user_and_password(match["v"])


def _is_sure_bearer(match: re.Match[str]) -> bool:
    return is_random(match["v"], 20) and not has_stand_in_word(match["v"])


def _is_among_settings(match: re.Match[str]) -> bool:
    """A `Password=…` with another `Name=value;` beside it, as in an ADO connection string."""
    text, value = match.string, match["v"]
    before, after = text[max(match.start() - 120, 0) : match.start()], text[match.end() : match.end() + 40]
    has_neighbour = _SETTING_BEFORE.search(before) or _SETTING_AFTER.match(after)
    return has_neighbour is not None and not (is_words(value) and is_label(value))


_SETTING_BEFORE = Lazy(r"[A-Za-z][\w.]{0,30}=[^\s;=,()]{1,80}[ ]\Z|[A-Za-z][\w ]{1,40}=[^;=\r\n]{1,80};[ \t]?\Z")
_SETTING_AFTER = Lazy(r"[ ][A-Za-z][\w.]{0,30}=[^\s=]|;[ \t]?[A-Za-z][\w ]{1,30}=")


def _place(
    kind: str,
    name: str,
    leads: str,
    pattern: str,
    accepts: Callable[[re.Match[str]], bool] = _always,
    reports: Callable[[re.Match[str]], bool] = _is_chosen,
) -> Place:
    return Place(kind, name, tuple(leads.split("|")), Lazy(pattern), accepts, reports)


PLACES: tuple[Place, ...] = (
    _place(
        "url-password",
        "password in a URL",
        "://",
        r"://(?P<user>[^\s:/@\"'`<>\\]{0,100}+):(?P<v>[^\s/\"'`<>\\]{1,200})@(?P<host>[\w\[.{$%-][^\s\"'`<>\\]{0,100}+)",
        _is_password_in_url,
        _is_real_url,
    ),
    _place(
        "url-token",
        "token in a URL",
        "://",
        r"://(?P<v>[A-Za-z0-9._~%+-]{20,300}+)(?::|(?=@))(?:x-oauth-basic)?@[\w.]",
        _holds_random,
        _is_sure_bearer,
    ),
    _place(
        "bearer-token",
        "bearer token",
        "bearer",
        r"(?i:bearer)(?:[ \t]|%20|\\+u0020){1,4}+(?P<v>[A-Za-z0-9._~+/=-]{12,4000}+)",
        _is_bearer,
        _is_sure_bearer,
    ),
    _place(
        "basic-auth",
        "basic authorization",
        "basic",
        r"(?i:basic)(?:[ \t]|%20){1,4}+(?P<v>[A-Za-z0-9+/]{6,1000}+={0,2})",
        _is_basic,
        _never,
    ),
    _place(
        "authorization",
        "authorization header",
        "authorization",
        r"(?i:authorization)[\\\"']{0,4}+[ \t]{0,4}+[:=,][ \t]{0,4}+[\\\"']{0,4}+"
        r"(?:(?i:token|apikey|key|api-key|ghs?)[ \t=:]{1,3}+)?(?P<v>[A-Za-z0-9._~+/=-]{16,4000}+)",
        _is_bearer,
        _is_sure_bearer,
    ),
    _place(
        "connection-password",
        "password in a connection string",
        "pwd|password",
        r"(?<![A-Za-z0-9])(?i:pwd|password)[ ]?=[ ]?(?P<v>[^;\"'`\s()<>&,]{3,200}+)",
        _is_among_settings,
    ),
    _place(
        "docker-auth",
        "registry login",
        "auth",
        r"\"auth\\*\"[ \t]{0,4}+:[ \t]{0,4}+\\*\"(?P<v>[A-Za-z0-9+/]{8,1000}+={0,2})\\*\"",
        _is_basic,
        _never,
    ),
    _place(
        "curl-password",
        "password on a command line",
        "curl|wget|http ",
        r"(?<![\w-])(?:-u|--user|--proxy-user)[ \t=]{0,3}+[\\\"']{0,2}"
        r"(?P<user>[^\s:\"'\\]{1,100}+):(?P<v>[^\s\"'\\]{3,200}+)",
    ),
    _place(
        "login-password",
        "password of a login file",
        "login",
        r"(?i:login)\s{1,8}+\S{1,100}+\s{1,8}+(?i:password)\s{1,8}+(?P<v>[^\s\"']{3,200}+)",
    ),
    _place(
        "pgpass",
        "password of a .pgpass line",
        ":5432:|:*:",
        r"(?<![\w.*-])[\w.*-]{1,100}+:(?:5432|\*):[\w*-]{1,64}+:[\w*-]{1,64}+:(?P<v>[^\s:\"'`]{3,200}+)",
    ),
    _place(
        "login-pair",
        "password beside a user name",
        "auth|cred|login",
        r"[aAcClL](?:uth|UTH|red|RED|ogin)\w{0,24}+[ \t]?(?:=[ \t]?|:[ \t]?|\()\(?"
        r"(?P<user>[\"'][^\"'\r\n]{1,80}[\"']),[ \t]?"
        r"[\"'](?P<v>[^\"'\s\\]{6,200}+)[\"']",
        _is_chosen_or_drawn,
    ),
    _place(
        "signing-key",
        "signing key in a call",
        "jwt.|hmac|fernet(|keyspec(",
        r"(?:jwt\.(?:encode|decode|sign|verify)\([^\"'()\r\n]{1,80}|"
        r"(?:hmac\.(?:new|digest)|[Ff]ernet|[cC]reateHmac|SecretKeySpec)\((?:[\"']\w+[\"'])?)"
        r"(?:,[ \t]?)?b?[\"'](?P<v>[^\"'\s\\]{6,500}+)[\"']",
        _is_chosen_or_drawn,
    ),
    _place(
        "oracle-password", "password in an Oracle URL", ":thin:", r":thin:[^/\s:@]{1,60}+/(?P<v>[^@\s\"'/]{3,100}+)@"
    ),
    _place(
        "command-password",
        "password on a command line",
        "docker|podman|twine|mongo|redis-cli|ldap|mosquitto|keytool|smbclient|lftp|zip |htpasswd|az login",
        r"(?:docker login|podman login|twine upload|mongo\w*|redis-cli|ldap\w+|mosquitto_\w+|keytool|smbclient|lftp|"
        r"zip|unzip|az login)[ \t]"
        r"(?:[^\r\n]{0,160}?[ \t])?-(?:p|a|w|P|pw|storepass|keypass|srcstorepass|deststorepass)[ \t=]?"
        r"[\\\"']{0,2}(?P<v>[^\s\"'\\-][^\s\"'\\]{3,200}+)",
        _is_chosen_or_drawn,
    ),
    _place(
        "openssl-password",
        "password on a command line",
        "pass:",
        r"-pass(?:in|out)?[ \t]{1,4}+[\"']?pass:(?P<v>[^\s\"']{3,200}+)",
    ),
    _place(
        "piped-password",
        "password piped to a command",
        "sudo -s|-stdin",
        r"(?:echo|printf)(?:[ \t]-n)?[ \t]{1,4}+[\\\"']{0,2}(?P<v>[^\s\"'|\\]{4,200}+)[\\\"']{0,2}"
        r"[ \t]?\|[ \t]?(?:sudo -S|[^\r\n|]{0,120}?--?(?:password|passphrase)-stdin)",
    ),
    _place(
        "sshpass",
        "password on a command line",
        "sshpass",
        r"sshpass[ \t]{1,4}+-p[ \t]{0,4}+[\\\"']{0,2}(?P<v>[^\s\"'\\]{3,200}+)",
    ),
    _place(
        "mysql-password",
        "password on a command line",
        "mysql",
        r"(?:mysql|mysqldump|mysqladmin|mariadb)[ \t][^\r\n]{0,80}?[ \t]-p(?P<v>[^\s\"'=-][^\s\"']{3,100}+)",
    ),
    _place(
        "sql-password",
        "password in an SQL statement",
        "identified",
        r"(?i:identified)[ \t]{1,4}+(?:(?i:with)[ \t]+\w{1,60}[ \t]+)?(?i:by)[ \t]{1,4}+"
        r"(?:(?i:password)[ \t]+)?[\\\"']{1,3}(?P<v>[^\s\"'\\]{3,200}+)",
    ),
    _place(
        "password-hash",
        "password hash",
        "{sha|{ssha|{md5}|{crypt}",
        r"\{(?i:s?sha\d{0,3}|s?md5|crypt)\}(?P<v>[A-Za-z0-9+/=.$]{20,200}+)",
        reports=_never,
    ),
)
"""Where credentials stand, apart from what they look like."""
