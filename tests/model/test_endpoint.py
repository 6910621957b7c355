import pytest

from kimi_lsp.errors import AuthError, ConfigError
from kimi_lsp.model import Endpoint, is_loopback, is_private, profile_for

KEY = "test-" + "key-0123456789"


def endpoint(base_url: str = "https://api.moonshot.ai/v1", key: str | None = KEY, **more: object) -> Endpoint:
    return Endpoint(base_url, "kimi-k2.6", profile_for("kimi-k2.6", base_url), key, **more)  # pyright: ignore[reportArgumentType]  (tests name the fields)


def test_an_endpoint_is_tidied_and_hides_its_key() -> None:
    made = endpoint(" https://api.moonshot.ai:443/v1/ ", f" {KEY}\n")
    assert (made.base_url, made.host, made.netloc, made.key) == (
        "https://api.moonshot.ai:443/v1",
        "api.moonshot.ai",
        "api.moonshot.ai:443",
        KEY,
    )
    assert KEY not in repr(made)


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.moonshot.ai/v1",
        "ftp://h/v1",
        "https://",
        "https://h:port/v1",
        "https://[::1/v1",
        "https://a b/v1",
        "https://h/v1\x00",
    ],
)
def test_what_is_no_url_is_an_error(base_url: str) -> None:
    with pytest.raises(ConfigError):
        endpoint(base_url)


@pytest.mark.parametrize(
    "base_url", ["https://user:pw@h.example/v1", "https://h.example/v1?key=1", "https://h.example/v1#x"]
)
def test_a_url_holds_nothing_but_an_address(base_url: str) -> None:
    with pytest.raises(ConfigError, match="no user, password, query or fragment"):
        endpoint(base_url)


@pytest.mark.parametrize(
    "base_url", ["http://api.moonshot.ai/v1", "http://192.168.1.9/v1", "http://127.0.0.1.example.com/v1"]
)
def test_clear_text_to_another_machine_must_be_allowed(base_url: str) -> None:
    with pytest.raises(ConfigError, match="clear text"):
        endpoint(base_url)
    assert endpoint(base_url, allows_cleartext=True).base_url == base_url


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:1/v1", "http://[::1]/v1", "http://localhost/v1", "http://LOCALHOST./v1"]
)
def test_clear_text_within_this_machine_is_fine_and_needs_no_key(base_url: str) -> None:
    assert endpoint(base_url, None).key is None


@pytest.mark.parametrize("key", [None, "", "  \n"])
def test_a_public_endpoint_needs_a_key(key: str | None) -> None:
    with pytest.raises(AuthError, match=r"No key for api\.moonshot\.ai"):
        endpoint(key=key)


@pytest.mark.parametrize("key", ["kéy-0123", "two words", "key\nX-Injected: 1", "key\u200b", "“quoted”"])
def test_a_key_that_cannot_stand_in_a_header_is_an_error_that_does_not_show_it(key: str) -> None:
    with pytest.raises(AuthError, match="characters that no key has") as caught:
        endpoint(key=key)
    assert key not in caught.value.line


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Host": "x"}, "client's own"),
        ({"content-length": "1"}, "client's own"),
        ({"Accept-Encoding": "gzip"}, "client's own"),
        ({"X Y": "1"}, "printable ASCII"),
        ({"X-Y": "a\r\nb: c"}, "printable ASCII"),
        ({"X-Y": "é"}, "printable ASCII"),
        ({"": "x"}, "printable ASCII"),
    ],
)
def test_a_header_that_cannot_be_sent_is_an_error(headers: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        endpoint(extra_headers=headers)


def test_hosts_are_told_apart() -> None:
    own = ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"]
    near = ["10.0.0.1", "192.168.0.1", "172.16.0.1", "fe80::1%eth0", "fd00::1", "gpu", "gpu.local", "box.home.arpa"]
    far = ["8.8.8.8", "api.moonshot.ai", "localhost.example.com", "127.0.0.1.example.com", "2606:4700::1"]
    assert [is_loopback(host) for host in own + near + far] == [True] * 7 + [False] * 13
    assert [is_private(host) for host in own + near + far] == [True] * 15 + [False] * 5
