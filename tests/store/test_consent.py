"""Consent: given by somebody, for one project and one endpoint, until it is withdrawn."""

import pytest

from kimi_lsp.store import Consent, Store
from tests.store.helpers import Ticker


def test_there_is_no_consent_until_it_is_given(store: Store) -> None:
    assert not store.consents.has("/home/ann/shop", "api.example")
    store.consents.give("/home/ann/shop", "api.example")
    assert store.consents.has("/home/ann/shop", "api.example")


@pytest.mark.parametrize(
    ("project", "endpoint"),
    [
        ("/home/ann/shop", "api.example.evil"),
        ("/home/ann/shop", "API.example"),
        ("/home/ann/shop/", "api.example"),
        ("/home/ann/sho%", "api.example"),
        ("/home/ann/sho\udce9", "api.example"),
        ("/home/ann/shop", ""),
    ],
)
def test_consent_is_for_exactly_one_project_and_endpoint(store: Store, project: str, endpoint: str) -> None:
    store.consents.give("/home/ann/shop", "api.example")
    store.consents.give("/home/ann/sho\\udce9", "api.example")
    assert not store.consents.has(project, endpoint)


def test_a_consent_can_be_withdrawn(store: Store) -> None:
    store.consents.give("p", "api.example")
    assert store.consents.withdraw("p", "api.example")
    assert not store.consents.has("p", "api.example")
    assert not store.consents.withdraw("p", "api.example")


def test_consents_are_listed_with_the_day_they_were_first_given(store: Store, clock: Ticker) -> None:
    store.consents.give("b", "x")
    store.consents.give("a", "y")
    clock.advance(days=1)
    store.consents.give("b", "x")
    assert store.consents.all() == [
        Consent("a", "y", "2026-11-25T12:00:00.000000Z"),
        Consent("b", "x", "2026-11-25T12:00:00.000000Z"),
    ]


def test_a_project_whose_path_is_not_utf_8_can_consent(store: Store) -> None:
    store.consents.give("/home/caf\udce9", "api.example")
    assert store.consents.has("/home/caf\udce9", "api.example")
    assert [consent.project for consent in store.consents.all()] == ["/home/caf\udce9"]
