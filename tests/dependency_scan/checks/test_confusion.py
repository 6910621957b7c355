"""Look-alikes and private names."""

import json

import pytest
from inline_snapshot import snapshot

from mcp_tools.dependency_scan import confusion
from mcp_tools.dependency_scan.confusion import popular
from mcp_tools.dependency_scan.confusion.lookalikes import Lookalikes, group
from mcp_tools.dependency_scan.values import Ecosystem, normalised_name
from tests.dependency_scan.checks.checking import lines

NAMES = Lookalikes(
    frozenset({"requests", "urllib3", "lodash", "semver", "numpy", "react", "colorama", "python-dateutil", "types-six"})
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("reqeusts", "requests"),
        ("requesst", "requests"),
        ("requeests", "requests"),
        ("requezts", "requests"),
        ("rquests", "requests"),
        ("ur11ib3", "urllib3"),
        ("loadsh", "lodash"),
        ("1odash", "lodash"),
        ("nurnpy", "numpy"),
        ("nunpy", None),  # a short word
        ("nummpy", "numpy"),
        ("reatc", "react"),
        ("colourama", "colorama"),
        ("co1orama", "colorama"),
        ("python-dateutils", None),  # a plural
        ("python-datetutil", "python-dateutil"),
    ],
)
def test_a_slip_is_taken_for_the_well_known_name(name: str, meant: str | None) -> None:
    slip = NAMES.of(name)
    assert (slip.name if slip is not None else None) == meant


@pytest.mark.parametrize(
    "name",
    (
        "requests request grequests requests2 requests3 lodash4 semvers preact reactor urllib4 types-sib types-siz py "
        "colorful lodash-es"
    ).split(),
)
def test_what_honest_names_differ_by_is_no_slip(name: str) -> None:
    assert NAMES.of(name) is None


def test_in_npm_a_scope_is_compared_and_what_stands_below_it_is_its_owners() -> None:
    groups = group(Ecosystem.NPM, ["@angular/core", "@angular/common"])
    assert groups["@*/core"].of("angualr") is not None
    told = lines(
        confusion.check, {"package.json": '{"dependencies": {"@types/nodes": "1.0.0", "@types/nodee": "1.0.0"}}'}
    )
    assert told == []


def test_a_look_alike_is_reported_once_a_file_and_says_what_it_resembles() -> None:
    texts = {"requirements.txt": "reqeusts==1.0\nReqeusts==1.0\nrequests==2.32.0\n"}
    assert lines(confusion.check, texts) == snapshot(
        [
            (
                "requirements.txt:1: warning lookalike-package: 'reqeusts' is almost the well-known "
                "'requests' (two letters changed places): is it the one you mean?"
            )
        ]
    )


def test_in_go_the_owner_of_a_repository_is_compared() -> None:
    text = "module x.example/y\nrequire github.com/sprf13/cobra v1.0.0\nrequire github.com/spf31/cobra v1.0.0\n"
    text += "require github.com/strtechr/testify v1.8.0\nrequire github.com/stretchr/testifyy v1.8.0\n"
    assert [line.partition(": ")[0] for line in lines(confusion.check, {"go.mod": text})] == ["go.mod:4"]


def test_what_is_not_from_a_registry_has_no_name_there() -> None:
    assert lines(confusion.check, {"requirements.txt": "reqeusts @ git+https://git.example/o/reqeusts\n"}) == []


@pytest.mark.parametrize("ecosystem", list(popular.LISTED))
def test_a_list_is_sorted_folded_and_not_confused_with_itself(ecosystem: Ecosystem) -> None:
    names = popular.names(ecosystem)
    assert len(names) > 300
    assert all(normalised_name(ecosystem, name) == name for name in names)
    assert popular.names(Ecosystem.MAVEN) == frozenset()


def test_a_host_that_serves_only_names_nobody_knows_is_private() -> None:
    def entry(host: str, name: str) -> dict[str, str]:
        return {"version": "1.0.0", "resolved": f"https://{host}/{name}/-/{name}-1.0.0.tgz"}

    def lock(hosts: dict[str, str]) -> dict[str, str]:
        packages = {f"node_modules/{name}": entry(host, name) for name, host in hosts.items()}
        return {"package-lock.json": json.dumps({"lockfileVersion": 3, "packages": packages}, indent=1)}

    public, private = "registry.example", "npm.corp.example"
    assert lines(confusion.check, lock({"semver": public, "acme-billing": private, "@acme/x": private})) == snapshot(
        [
            (
                "package-lock.json:9: warning internal-name: 'acme-billing' comes from npm.corp.example, "
                "which serves none of the well-known packages here, and its name has no scope: in the "
                "public registry anybody can take it."
            )
        ]
    )
    assert lines(confusion.check, lock({"semver": private, "acme-billing": private})) == []  # a mirror
    assert lines(confusion.check, lock({"semver": public, "glob": private, "acme-billing": private})) == []
    assert lines(confusion.check, lock({"acme-billing": private})) == []


def test_a_name_of_the_projects_own_family_is_exposed_by_an_extra_index() -> None:
    index = "--extra-index-url https://corp.example/simple\n"
    project = {"pyproject.toml": '[project]\nname = "acme-shop"\n'}
    texts = {**project, "requirements.txt": f"{index}acme-billing==1.0\nother-billing==1.0\n"}
    assert lines(confusion.check, texts) == snapshot(
        [
            (
                "requirements.txt:2: warning internal-name: 'acme-billing' shares its first word with "
                "the project 'acme-shop': if it is private, the public index that is asked beside the "
                "private one can answer for it."
            )
        ]
    )
    assert lines(confusion.check, {**texts, "requirements.txt": "acme-billing==1.0\n"}) == []
    family = {"pyproject.toml": '[project]\nname = "django-shop"\n', "requirements.txt": f"{index}django-cart==1.0\n"}
    assert lines(confusion.check, family) == []


def test_a_name_without_end_and_one_without_a_letter_resemble_nothing() -> None:
    assert NAMES.of("") is None
    assert NAMES.of("requests" * 500) is None
