"""Ruby, PHP, Dart, Elixir, container images and GitHub workflows."""
# ruff: noqa: E501 - a snapshot's lines are as long as what was read

from inline_snapshot import snapshot

from tests.dependency_scan.readers.reading import read, told


def test_a_gemfile_and_its_lock() -> None:
    text = """\
source "https://rubygems.example"
ruby "3.2.0"
gem "rails", "~> 7.1.0"
gem 'pg', '1.5.4' # database
gem "tool", git: "https://git.example/tool.git", ref: "0123"
gem "both", ">= 1", "< 3", require: false
group :development, :test do
  gem "rspec"
end
group :test do
  platforms :ruby do
    gem "capybara"
  end
end
gem "debug", group: :development
"""
    assert told("Gemfile", text) == snapshot(
        [
            "3:5 'rails' -> rails *; runtime; direct; wants ~> 7.1.0",
            "4:11 '1.5.4' -> pg 1.5.4; runtime; direct",
            "5:5 'tool' -> tool *; runtime; direct; git https://git.example/tool.git; @ 0123",
            "6:5 'both' -> both *; runtime; direct; wants >= 1, < 3",
            "8:7 'rspec' -> rspec *; dev; direct; in development, test",
            "12:9 'capybara' -> capybara *; test; direct; in test",
            "15:5 'debug' -> debug *; dev; direct; in development",
        ]
    )
    lock = """\
GIT
  remote: https://me:pw@git.example/tool.git
  revision: 0123
  specs:
    tool (0.1.0)
      rack (>= 2)

GEM
  remote: https://rubygems.example/
  specs:
    nokogiri (1.15.4-x86_64-linux)
      racc (~> 1.4)
    racc (1.7.1)
    rack (3.0.8)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  nokogiri (~> 1.15)
  tool!

CHECKSUMS
  racc (1.7.1) sha256=00

RUBY VERSION
   ruby 3.2.0p0

BUNDLED WITH
   2.4.19
"""
    assert told("Gemfile.lock", lock) == snapshot(
        [
            "5:10 '0.1.0' -> tool 0.1.0; unknown; direct; git https://git.example/tool.git; @ 0123",
            "11:14 '1.15.4' -> nokogiri 1.15.4; unknown; direct; unhashed; registry https://rubygems.example/",
            "13:10 '1.7.1' -> racc 1.7.1; unknown; indirect; hashed; for nokogiri; registry https://rubygems.example/",
            "14:10 '3.0.8' -> rack 3.0.8; unknown; indirect; unhashed; for tool; registry https://rubygems.example/",
        ]
    )


def test_composer_files() -> None:
    text = '{"name": "me/mine", "license": ["MIT"], "require": {"php": ">=8", "ext-json": "*", "monolog/monolog": "3.5.0"}, "require-dev": {"a/b": "^1"}}'
    assert told("composer.json", text) == snapshot(
        [
            "1:103 '3.5.0' -> monolog/monolog 3.5.0; runtime; direct; in require",
            "1:136 '^1' -> a/b *; dev; direct; wants ^1; in require-dev",
        ]
    )
    lock = """\
{
  "content-hash": "abc",
  "packages": [
    {"name": "monolog/monolog", "version": "3.5.0", "license": ["MIT"], "require": {"psr/log": "^3"},
     "source": {"type": "git", "url": "https://git.example/monolog.git", "reference": "0123"},
     "dist": {"type": "zip", "url": "https://api.example/zip", "shasum": ""},
     "notification-url": "https://packages.example/downloads/"},
    {"name": "psr/log", "version": "v3.0.0", "abandoned": "psr/other"}
  ],
  "packages-dev": [{"name": "fork/x", "version": "dev-main", "abandoned": true,
     "source": {"type": "git", "url": "https://git.example/x.git", "reference": "4567"}, "dist": {"type": "zip", "url": "u"}}]
}
"""
    assert told("composer.lock", lock) == snapshot(
        [
            "4:44 '3.5.0' -> monolog/monolog 3.5.0; runtime; ?; hashed; registry https://api.example/zip; licence MIT",
            "8:36 'v3.0.0' -> psr/log v3.0.0; runtime; ?; unhashed; for monolog/monolog; deprecated: abandoned; use psr/other instead",
            "10:50 'dev-main' -> fork/x dev-main; dev; ?; hashed; git https://git.example/x.git; @ 4567; deprecated: abandoned",
        ]
    )


def test_pub_files() -> None:
    text = """\
name: mine
dependencies:
  http: ^1.1.0
  exact: 2.0.0
  flutter:
    sdk: flutter
  gitty:
    git:
      url: https://git.example/g.git
      ref: main
dev_dependencies:
  test: any
"""
    assert told("pubspec.yaml", text) == snapshot(
        [
            "3:8 '^1.1.0' -> http *; runtime; direct; wants ^1.1.0; in dependencies",
            "4:9 '2.0.0' -> exact 2.0.0; runtime; direct; in dependencies",
            "5:2 'flutter' -> flutter *; runtime; direct; in dependencies; unknown sdk:flutter",
            "7:2 'gitty' -> gitty *; runtime; direct; in dependencies; git https://git.example/g.git; @ main",
            "12:8 'any' -> test *; dev; direct; wants any; in dev_dependencies",
        ]
    )
    lock = """\
packages:
  http:
    dependency: "direct main"
    description:
      name: http
      sha256: "00"
      url: "https://pub.example"
    source: hosted
    version: "1.1.0"
  async:
    dependency: transitive
    description: {name: async, url: "https://pub.example"}
    source: hosted
    version: "2.11.0"
  gitty:
    dependency: "direct dev"
    description: {path: ".", ref: main, resolved-ref: "0123", url: "https://git.example/g.git"}
    source: git
    version: "0.0.1"
sdks:
  dart: ">=3.0.0"
"""
    assert told("pubspec.lock", lock) == snapshot(
        [
            "9:14 '1.1.0' -> http 1.1.0; runtime; direct; hashed; registry https://pub.example",
            "14:14 '2.11.0' -> async 2.11.0; unknown; indirect; unhashed; registry https://pub.example",
            "19:14 '0.0.1' -> gitty 0.0.1; dev; direct; git https://git.example/g.git; @ 0123",
        ]
    )


def test_a_mix_lock() -> None:
    text = """\
%{
  "jason": {:hex, :jason, "1.4.1", "af1504", [:mix], [{:decimal, "~> 1.0 or ~> 2.0", [hex: :decimal, repo: "hexpm", optional: true]}], "hexpm", "fbb01e"},
  "decimal": {:hex, :decimal, "2.1.1", "5611dc", [:mix], [], "hexpm", "53cfe5"},
  "renamed": {:hex, :real_name, "0.1.0", "00", [:mix], [], "hexpm", "11"},
  "tool": {:git, "https://git.example/tool.git", "0123", [tag: "v1"]},
  what is this
}
"""
    assert told("mix.lock", text) == snapshot(
        [
            "2:27 '1.4.1' -> jason 1.4.1; unknown; ?; hashed",
            "3:31 '2.1.1' -> decimal 2.1.1; unknown; ?; hashed; for jason",
            "4:33 '0.1.0' -> real_name 0.1.0; unknown; ?; hashed; as renamed",
            "5:50 '0123' -> tool *; unknown; ?; git https://git.example/tool.git; @ 0123",
            "! bad-dependency: line 6: not an entry of mix.lock",
        ]
    )


def test_a_dockerfile_names_its_images() -> None:
    text = """\
ARG BASE=python:3.12-slim
ARG NONE
FROM --platform=linux/amd64 ${BASE} AS build
COPY --from=ghcr.example:5000/astral/uv:0.4.0 /uv /bin/
FROM node:20@sha256:0123456789abcdef
COPY --from=build /app /app
COPY --from=0 /x /x
FROM scratch
FROM build
FROM $NONE
FROM alpine
"""
    assert told("docker/Dockerfile.dev", text) == snapshot(
        [
            "3:28 '${BASE}' -> python *; runtime; direct; unhashed; wants 3.12-slim",
            "4:40 '0.4.0' -> ghcr.example:5000/astral/uv *; runtime; direct; unhashed; wants 0.4.0",
            "5:10 '20' -> node sha256:0123456789abcdef; runtime; direct; hashed; wants 20",
            "11:5 'alpine' -> alpine *; runtime; direct; unhashed",
            "! bad-dependency: line 10: the image '$NONE' depends on what the build is given",
        ]
    )


def test_lines_of_a_shell_program_are_no_images() -> None:
    text = """\
FROM a:1
RUN psql -c "SELECT 1 \\
  FROM table_one"
RUN <<EOF
FROM table_two
EOF
RUN --mount=type=cache \\
  --mount=type=bind,from=tools:2,target=/t make
FROM b:3
"""
    assert told("Dockerfile", text) == snapshot(
        [
            "1:7 '1' -> a *; runtime; direct; unhashed; wants 1",
            "8:31 '2' -> tools *; runtime; direct; unhashed; wants 2",
            "9:7 '3' -> b *; runtime; direct; unhashed; wants 3",
        ]
    )


def test_a_workflow_names_its_actions() -> None:
    sha = "0123456789" * 4
    text = f"""\
name: CI
on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    container: node:20
    services:
      db: {{image: "postgres:16"}}
    steps:
      - uses: actions/checkout@{sha} # v4.1.1
      - uses: "actions/setup-python@v5.0.0"
      - uses: team/mono/sub/path@main
      - uses: ./local
      - uses: docker://alpine:3.19
      - uses: what is this
      - run: echo hi
  call:
    uses: team/shared/.github/workflows/build.yml@v2
"""
    assert told(".github/workflows/ci.yml", text) == snapshot(
        [
            "10:31 '0123456789012345678901234567890123456789' -> actions/checkout 4.1.1; build; direct; hashed; wants 0123456789012345678901234567890123456789; git actions/checkout; @ 0123456789012345678901234567890123456789",
            "11:36 'v5.0.0' -> actions/setup-python 5.0.0; build; direct; unhashed; wants v5.0.0; git actions/setup-python; @ v5.0.0",
            "12:33 'main' -> team/mono *; build; direct; unhashed; wants main; in sub/path; git team/mono; @ main",
            "14:30 '3.19' -> alpine *; build; direct; unhashed; wants 3.19",
            "18:50 'v2' -> team/shared *; build; direct; unhashed; wants v2; in .github/workflows/build.yml; git team/shared; @ v2",
            "6:20 '20' -> node *; build; direct; unhashed; wants 20",
            "8:28 '16' -> postgres *; build; direct; unhashed; wants 16",
            "! bad-dependency: line 15: not an action: 'what is this'",
        ]
    )
    action = "name: x\nruns:\n  using: composite\n  steps:\n    - uses: actions/cache@v4\n"
    assert told("action.yml", action) == snapshot(
        ["5:26 'v4' -> actions/cache *; build; direct; unhashed; wants v4; git actions/cache; @ v4"]
    )
    assert read("action.yml", action).project == "x"
