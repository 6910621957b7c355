"""Name the protected areas: where a model may flag and a human must decide. Data and one pure function."""

import re

_AREAS: tuple[tuple[str, str], ...] = (
    (
        "auth",
        r"auth(n|z|entication|orization|enticate|orize)?|oauth2?|oidc|saml|sso|login|logout|signin|signup|session|sessions|"
        r"passwd|password|passwords|permission|permissions|rbac|acl|jwt|mfa|2fa|totp|credential|credentials|iam",
    ),
    (
        "payments",
        r"payment|payments|billing|invoice|invoices|checkout|charge|charges|refund|refunds|stripe|paypal|braintree|adyen|"
        r"payout|payouts|subscription|subscriptions|ledger|wallet",
    ),
    ("migrations", r"migration|migrations|migrate|alembic|flyway|liquibase|schema_migrations"),
    ("customer data", r"customer|customers|pii|gdpr|ccpa|personal|kyc|hipaa|patient|patients|userdata|user_data"),
)
_MATCHERS = tuple((area, re.compile(rf"(?:{words})")) for area, words in _AREAS)
_PART = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def protected_area(path: str) -> str | None:
    """The protected area a file lies in, by the words of its path; None for most files.

    Words are split at `/`, `.`, `-`, `_` and capital letters: `src/AuthService.py` is auth, `src/author.py` is not.
    """
    pieces = [piece for piece in re.split(r"[/.\-\s]", path) if piece]
    words = {piece.lower() for piece in pieces}
    words.update(part.lower() for piece in pieces for part in _PART.findall(piece))
    for area, matcher in _MATCHERS:
        if any(matcher.fullmatch(word) for word in words):
            return area
    return None
