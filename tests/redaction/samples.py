"""Synthetic secrets, drawn at run time from a fixed seed so that no file here holds anything that looks like one."""

import base64
import random
import string
from dataclasses import dataclass

HEX = string.digits + "abcdef"
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "_-"
BASE64 = ALNUM + "+/"


def draw(alphabet: str, size: int, seed: int = 0) -> str:
    """So many characters of an alphabet, the same for the same arguments; starts and ends with a letter or digit."""
    chance = random.Random(f"{alphabet}{size}{seed}")
    ends = "".join(filter(str.isalnum, alphabet))
    return "".join(chance.choice(ends if at in {0, size - 1} else alphabet) for at in range(size))


def uuid(seed: int = 0) -> str:
    """A random UUID."""
    digits = draw(HEX, 32, seed)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def segment(seed: int, size: int = 60) -> str:
    """URL-safe base64 of a JSON object, as in a token of three parts."""
    return base64.urlsafe_b64encode(b'{"a":"' + draw(ALNUM, size, seed).encode() + b'"}').decode().rstrip("=")


def pem(kind: str = "RSA ", lines: int = 12, end: str = "\n", seed: int = 0) -> str:
    """A private key block with a random body."""
    body = end.join(draw(BASE64, 64, seed + number) for number in range(lines))
    marker = kind + "PRIVATE " + "KEY"
    return f"-----BEGIN {marker}-----{end}{body}{end}{draw(BASE64, 22, seed)}=={end}-----END {marker}-----"


@dataclass(frozen=True, slots=True)
class Sample:
    """A token and the kind under which it must be found."""

    kind: str
    token: str
    before: str = ""  # what must stand before the token for it to be one


def _s(kind: str, *parts: str, before: str = "") -> Sample:
    return Sample(kind, "".join(parts), before)


TOKENS: tuple[Sample, ...] = (
    _s("aws-access-key-id", "AK", "IA", draw(UPPER, 16)),
    _s("aws-access-key-id", "AS", "IA", draw(UPPER, 16, 1)),
    _s("aws-secret-access-key", draw(BASE64, 40), before="aws_secret_access_key = "),
    _s("google-api-key", "AI", "za", draw(URLSAFE, 35)),
    _s("google-oauth-token", "ya", "29.", draw(URLSAFE, 68)),
    _s("google-oauth-secret", "GOC", "SPX-", draw(URLSAFE, 28)),
    _s("azure-storage-key", draw(BASE64, 86), "==", before="AccountName=acct;Account" + "Key="),
    _s("azure-sas-signature", draw(ALNUM, 43), "%3D", before="?sv=2023-01-03&si" + "g="),
    _s("azure-client-secret", draw(ALNUM, 3), "8Q", "~", draw(ALNUM, 34)),
    _s("alibaba-access-key-id", "LT", "AI", draw(ALNUM, 20)),
    _s("digitalocean-token", "dop", "_v1_", draw(HEX, 64)),
    _s("heroku-api-key", "HR", "KU-AA", draw(URLSAFE, 58)),
    _s("heroku-api-key", uuid(3), before="HEROKU_" + "API_KEY="),
    _s("fly-token", "fm", "2_", draw(BASE64, 120)),
    _s("cloudflare-origin-key", "v1", ".0-", draw(HEX, 24), "-", draw(HEX, 146)),
    _s("netlify-token", "nf", "p_", draw(ALNUM, 36)),
    _s("github-token", "gh", "p_", draw(ALNUM, 36)),
    _s("github-oauth-token", "gh", "o_", draw(ALNUM, 36)),
    _s("github-app-token", "gh", "u_", draw(ALNUM, 36)),
    _s("github-app-token", "gh", "s_", draw(ALNUM, 36)),
    _s("github-refresh-token", "gh", "r_", draw(ALNUM, 76)),
    _s("github-fine-grained-token", "github", "_pat_", draw(ALNUM, 22), "_", draw(ALNUM, 59)),
    _s("gitlab-token", "gl", "pat-", draw(URLSAFE, 20)),
    _s("gitlab-token", "gl", "rt-", draw(URLSAFE, 20)),
    _s("gitlab-runner-token", "GR", "1348941", draw(URLSAFE, 20)),
    _s("atlassian-token", "ATA", "TT3", draw(URLSAFE, 186)),
    _s("bitbucket-token", "AT", "BB", draw(ALNUM, 32)),
    _s("npm-token", "np", "m_", draw(ALNUM, 36)),
    _s("pypi-token", "py", "pi-AgEIcHlwaS5vcmc", draw(URLSAFE, 130)),
    _s("rubygems-token", "ruby", "gems_", draw(HEX, 48)),
    _s("nuget-key", "oy", "2", draw(LOWER, 43)),
    _s("docker-token", "dckr", "_pat_", draw(URLSAFE, 27)),
    _s("jfrog-token", "AK", "Cp", draw(ALNUM, 69)),
    _s("sonar-token", "sq", "p_", draw(HEX, 40)),
    _s("postman-key", "PM", "AK-", draw(HEX, 24), "-", draw(HEX, 34)),
    _s("vault-token", "hv", "s.", draw(URLSAFE, 90)),
    _s("terraform-token", draw(ALNUM, 14), ".atlas", "v1.", draw(URLSAFE, 67)),
    _s("pulumi-token", "pu", "l-", draw(HEX, 40)),
    _s("doppler-token", "dp", ".pt.", draw(ALNUM, 43)),
    _s("tailscale-key", "ts", "key-auth-", draw(ALNUM, 12), "-", draw(ALNUM, 32)),
    _s("age-secret-key", "AGE-SECRET", "-KEY-1", draw("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    _s("databricks-token", "da", "pi", draw(HEX, 32)),
    _s("planetscale-token", "pscale", "_tkn_", draw(ALNUM, 43)),
    _s("supabase-key", "sb", "p_", draw(HEX, 40)),
    _s("grafana-token", "gl", "sa_", draw(ALNUM, 32), "_", draw(HEX, 8)),
    _s("new-relic-key", "NR", "AK-", draw(UPPER, 27)),
    _s("sentry-token", "snt", "rys_", draw(BASE64, 100)),
    _s("dynatrace-token", "dt0", "c01.", draw(UPPER, 24), ".", draw(UPPER, 64)),
    _s("anthropic-key", "sk-", "ant-api03-", draw(URLSAFE, 95)),
    _s("openai-key", "sk-", "proj-", draw(URLSAFE, 120)),
    _s("openai-key", "sk-", draw(ALNUM, 20), "T3Blbk", "FJ", draw(ALNUM, 20)),
    _s("openrouter-key", "sk-", "or-v1-", draw(HEX, 64)),
    _s("moonshot-key", "sk-", "kimi-", draw(ALNUM, 64)),
    _s("model-api-key", "s", "k-", draw(ALNUM, 48)),
    _s("huggingface-token", "h", "f_", draw(string.ascii_letters, 34)),
    _s("groq-key", "gs", "k_", draw(ALNUM, 52)),
    _s("xai-key", "xa", "i-", draw(ALNUM, 80)),
    _s("replicate-token", "r", "8_", draw(ALNUM, 37)),
    _s("nvidia-key", "nv", "api-", draw(URLSAFE, 64)),
    _s("langsmith-key", "ls", "v2_pt_", draw(HEX, 32), "_", draw(HEX, 10)),
    _s("stripe-key", "sk", "_live_", draw(ALNUM, 24)),
    _s("stripe-key", "rk", "_test_", draw(ALNUM, 24)),
    _s("stripe-webhook-secret", "wh", "sec_", draw(ALNUM, 32)),
    _s("square-token", "sq0", "atp-", draw(URLSAFE, 22)),
    _s("shopify-token", "shp", "at_", draw(HEX, 32)),
    _s("plaid-token", "access-", "production-", uuid(1)),
    _s("paypal-token", "access_token", "$production$", draw(LOWER, 16), "$", draw(HEX, 32)),
    _s("slack-token", "xo", "xb-", draw(string.digits, 12), "-", draw(string.digits, 12), "-", draw(ALNUM, 24)),
    _s("slack-app-token", "xa", "pp-1-", draw(UPPER, 11), "-", draw(string.digits, 13), "-", draw(HEX, 64)),
    _s(
        "slack-webhook",
        "services/T",
        draw(UPPER, 9),
        "/B",
        draw(UPPER, 9),
        "/",
        draw(ALNUM, 24),
        before="https://hooks.slack" + ".com/",
    ),
    _s("discord-token", "MT", draw(ALNUM, 24), ".", draw(URLSAFE, 6), ".", draw(URLSAFE, 38)),
    _s(
        "discord-webhook",
        draw(string.digits, 18),
        "/",
        draw(URLSAFE, 68),
        before="https://discord" + ".com/api/webhooks/",
    ),
    _s("telegram-token", draw(string.digits, 9), ":A", draw(URLSAFE, 34)),
    _s("twilio-key", "S", "K", draw(HEX, 32)),
    _s("sendgrid-key", "S", "G.", draw(URLSAFE, 22), ".", draw(URLSAFE, 43)),
    _s("mailgun-key", "ke", "y-", draw(HEX, 32)),
    _s("brevo-key", "xkey", "sib-", draw(HEX, 64), "-", draw(ALNUM, 16)),
    _s("mailchimp-key", draw(HEX, 32), "-u", "s14"),
    _s("linear-key", "lin", "_api_", draw(ALNUM, 40)),
    _s("notion-token", "nt", "n_", draw(ALNUM, 46)),
    _s("airtable-token", "pa", "t", draw(ALNUM, 14), ".", draw(HEX, 64)),
    _s("figma-token", "fi", "gd_", draw(URLSAFE, 43)),
    _s("hubspot-token", "pat-", "na1-", uuid(2)),
    _s("contentful-token", "CF", "PAT-", draw(URLSAFE, 43)),
    _s("jwt", "ey", "J", draw(ALNUM, 33), ".ey", "J", segment(1), ".", draw(URLSAFE, 43)),
)
