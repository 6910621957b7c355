"""Where a model is asked and as whom. Checked once, before any connection."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kimi_lsp import __version__
from kimi_lsp.errors import AuthError, ConfigError
from kimi_lsp.model.hosts import is_loopback, is_private
from kimi_lsp.model.profiles import Profile

KEYLESS = "none"  # what a server of one's own gets that asks for no key
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_OWN_HEADERS = frozenset(
    "host content-length content-type connection transfer-encoding accept-encoding te trailer upgrade expect".split()
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of the chat completions API, and the model to ask there.

    `trust_env` lets proxies, certificates and netrc of the environment in. `allows_cleartext` permits `http://` to
    another machine.

    Raises:
        AuthError: no key for a public endpoint, or one that cannot stand in a header.
        ConfigError: a URL or a header that cannot be used, or cleartext to another machine.
    """

    base_url: str
    model: str
    profile: Profile
    key: str | None = field(default=None, repr=False)
    extra_headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    trust_env: bool = False
    allows_cleartext: bool = False
    user_agent: str = f"kimi-lsp/{__version__}"

    def __post_init__(self) -> None:
        """Check everything that can be checked without asking anybody."""
        key = (self.key or "").strip()
        object.__setattr__(self, "key", key or None)
        object.__setattr__(self, "base_url", self.base_url.strip().rstrip("/"))
        self._check_url()
        self._check_key()
        for name, value in {**self.extra_headers, "User-Agent": self.user_agent}.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ConfigError(f"Header {name!r} cannot be sent: only printable ASCII can.")
            if name.lower() in _OWN_HEADERS:
                raise ConfigError(f"Header {name!r} is the client's own and cannot be set.")

    @property
    def host(self) -> str:
        """The host name, without port."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def netloc(self) -> str:
        """Host and port, as messages name the endpoint."""
        return urlsplit(self.base_url).netloc

    def _check_url(self) -> None:
        try:
            parts = urlsplit(self.base_url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(f"Not a base URL: {error}.") from error
        if parts.scheme not in {"http", "https"} or not host or not self.base_url.isprintable() or " " in self.base_url:
            raise ConfigError("The base URL must look like https://host/v1.")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ConfigError("The base URL must hold no user, password, query or fragment.")
        if parts.scheme == "http" and not is_loopback(host) and not self.allows_cleartext:
            raise ConfigError(
                f"http://{host} would carry the key and the code in clear text.",
                hint="Use https, or allow clear text for this endpoint in the user configuration.",
            )

    def _check_key(self) -> None:
        if self.key is None:
            if not is_private(self.host):
                raise AuthError(
                    f"No key for {self.host}.", hint="Set MOONSHOT_API_KEY, or the key in the user configuration."
                )
        elif not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise AuthError(
                f"The key for {self.host} holds characters that no key has.",
                hint="Copy it again, without quotes, spaces or invisible characters.",
            )
