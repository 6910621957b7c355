"""Name the protected areas: where a model may flag and a human must decide. Data and one pure function."""

import re

_AREAS = {
    "auth": """
        auth authn authz authentication authorization authenticate authorize oauth oauth2 oidc saml sso login logout
        signin signup session sessions passwd password passwords permission permissions rbac acl jwt mfa 2fa totp
        credential credentials iam
    """,
    "payments": """
        payment payments billing invoice invoices checkout charge charges refund refunds stripe paypal braintree adyen
        payout payouts subscription subscriptions wallet
    """,
    "migrations": "migration migrations migrate alembic flyway liquibase",
    "customer data": "customer customers pii gdpr ccpa personal kyc hipaa patient patients userdata",
}
_WORDS = tuple((area, frozenset(words.split())) for area, words in _AREAS.items())
_PART = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def protected_area(path: str) -> str | None:
    """The protected area a file lies in, by the words of its path; None for most files.

    Words are split at `/`, `.`, `-`, `_` and capital letters: `src/AuthService.py` is auth, `src/author.py` is not.
    """
    pieces = [piece for piece in re.split(r"[/.\-_\s]", path) if piece]
    words = {piece.lower() for piece in pieces}
    words.update(part.lower() for piece in pieces for part in _PART.findall(piece))
    for area, named in _WORDS:
        if words & named:
            return area
    return None
