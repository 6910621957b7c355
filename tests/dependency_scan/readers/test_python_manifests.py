"""requirements files, pyproject.toml, Pipfile, environment.yml."""
# ruff: noqa: E501 - a snapshot's lines are as long as what was read

from inline_snapshot import snapshot

from mcp_tools.dependency_scan.values import Scope
from tests.dependency_scan.readers.reading import lines, read, told


def test_a_requirements_file_is_read_as_pip_reads_it() -> None:
    text = """\
# a comment
--index-url https://user:token@registry.example/simple
--extra-index-url=https://second.example/simple
flask==3.1.0  # pinned
Django[argon2, bcrypt] >= 4.2, < 5 ; python_version >= "3.9"
ruamel_yaml
numpy===1.26.4
legacy==0.2-NA
wild==1.4.*
"""
    assert told("requirements.txt", text) == snapshot(
        [
            "4:7 '3.1.0' -> flask 3.1.0; runtime; direct; wants ==3.1.0",
            "5:0 'Django' -> Django *; runtime; direct; wants >= 4.2, < 5; extras argon2,bcrypt; if python_version >= \"3.9\"",
            "6:0 'ruamel_yaml' -> ruamel_yaml *; runtime; direct",
            "7:8 '1.26.4' -> numpy 1.26.4; runtime; direct; wants ===1.26.4",
            "8:8 '0.2-NA' -> legacy 0.2-NA; runtime; direct; wants ==0.2-NA",
            "9:0 'wild' -> wild *; runtime; direct; wants ==1.4.*",
        ]
    )
    assert [(index.url, index.is_extra) for index in read("requirements.txt", text).indexes] == snapshot(
        [("https://registry.example/simple", False), ("https://second.example/simple", True)]
    )


def test_hashes_may_follow_on_escaped_lines() -> None:
    text = """\
attrs==23.1.0 \\
    --hash=sha256:0000 \\
    --hash=sha256:1111
    # via
    #   -r requirements.in
    #   jsonschema
idna==3.4 --hash=sha256:2222
    # via requests
bare==1
"""
    assert told("requirements.txt", text) == snapshot(
        [
            "1:7 '23.1.0' -> attrs 23.1.0; runtime; direct; hashed; wants ==23.1.0; for jsonschema",
            "7:6 '3.4' -> idna 3.4; runtime; indirect; hashed; wants ==3.4; for requests",
            "9:6 '1' -> bare 1; runtime; ?; unhashed; wants ==1",
        ]
    )


def test_urls_paths_and_editables_say_where_they_come_from() -> None:
    text = """\
-e .
-e git+ssh://git@git.example/team/tool.git@v1.2#egg=tool[x]
--editable ./plugins/one
pip @ https://files.example/pip-23.0-py3-none-any.whl?token=abc
git+https://me:secret@git.example/team/other.git#egg=other
https://files.example/thing-1.2.tar.gz
.[dev,test]
./dist/local-0.1-py3-none-any.whl
"""
    found = told("requirements.txt", text)
    assert found == snapshot(
        [
            "1:3 '.' -> . *; runtime; direct; path .",
            "2:3 'git+ssh://git@git.example/team/tool.git@v1.2#egg=tool[x]' -> tool *; runtime; direct; extras x; git git+ssh://git.example/team/tool.git; @ v1.2",
            "3:11 './plugins/one' -> ./plugins/one *; runtime; direct; path ./plugins/one",
            "4:0 'pip' -> pip 23.0; runtime; direct; url https://files.example/pip-23.0-py3-none-any.whl",
            "5:0 'git+https://me:secret@git.example/team/other.git#egg=other' -> other *; runtime; direct; git git+https://git.example/team/other.git",
            "6:0 'https://files.example/thing-1.2.tar.gz' -> thing 1.2; runtime; direct; url https://files.example/thing-1.2.tar.gz",
            "7:0 '.[dev,test]' -> . *; runtime; direct; extras dev,test; path .",
            "8:0 './dist/local-0.1-py3-none-any.whl' -> local 0.1; runtime; direct; path ./dist/local-0.1-py3-none-any.whl",
        ]
    )
    assert "secret" not in str(read("requirements.txt", text))


def test_includes_are_followed_once_and_only_inside_the_project() -> None:
    others = {
        "req/dev.txt": "-r base.txt\n-r ../requirements.txt\n-c ../limits.txt\npytest\n",
        "req/base.txt": "requests\n-r dev.txt\n",
        "limits.txt": "pytest==8.1.0\nrequests==2.31.0\nunused==1.0\n",
    }
    text = "-r req/dev.txt\n-r ../../etc/passwd\n-r /etc/passwd\n-r https://x.example/a.txt\n-r gone.txt\nrequests\n"
    found = read("requirements.txt", text, others)
    assert [(file.path, file.format) for file in found.included] == snapshot(
        [
            ("req/base.txt", "requirements"),
            ("limits.txt", "constraints"),
            ("req/dev.txt", "requirements"),
        ]
    )
    assert [(item.name, item.version) for file in found.included for item in file.dependencies] == snapshot(
        [
            ("requests", "2.31.0"),
            ("pytest", "8.1.0"),
            ("requests", "2.31.0"),
            ("unused", "1.0"),
            ("pytest", "8.1.0"),
        ]
    )
    assert [(item.name, item.version) for item in found.dependencies] == [("requests", "2.31.0")]
    assert [notice.message for notice in found.notices] == snapshot(
        [
            "'../../etc/passwd' lies outside the project: not followed",
            "'/etc/passwd' lies outside the project: not followed",
            "'https://x.example/a.txt' lies outside the project: not followed",
            "line 5: 'gone.txt': not read: no such file",
        ]
    )


def test_a_requirement_that_is_none_is_said_and_the_rest_is_read() -> None:
    assert told("requirements.txt", "good==1\n<<<<<<< HEAD\n%%%\nalso==2\n") == snapshot(
        [
            "1:6 '1' -> good 1; runtime; direct; wants ==1",
            "4:6 '2' -> also 2; runtime; direct; wants ==2",
            "! bad-dependency: line 2: not a requirement: '<<<<<<< HEAD'",
            "! bad-dependency: line 3: not a requirement: '%%%'",
        ]
    )


def test_the_name_of_a_requirements_file_says_what_it_is_for() -> None:
    def scope(path: str) -> Scope:
        return read(path, "a==1").dependencies[0].scope

    assert scope("requirements.txt") is Scope.RUNTIME
    assert scope("requirements-dev.txt") is Scope.DEV
    assert scope("test_requirements.txt") is Scope.TEST
    assert scope("requirements/tests.txt") is Scope.TEST
    assert scope("latest/requirements.txt") is Scope.RUNTIME


def test_line_ends_of_all_kinds_keep_places_right() -> None:
    text = "# \u00e9\U0001f600\r\na==1\rb==2\nc \\\r\n ==3"
    assert told("requirements.txt", text) == snapshot(
        [
            "2:3 '1' -> a 1; runtime; direct; wants ==1",
            "3:3 '2' -> b 2; runtime; direct; wants ==2",
            "5:3 '3' -> c 3; runtime; direct; wants ==3",
        ]
    )


def test_pyproject_has_its_tables_read() -> None:
    text = """\
[build-system]
requires = ["hatchling>=1.27"]

[project]
name = "mine"
license = "MIT"
dependencies = [
    "httpx[http2]==0.27.0",
    'rich >= 13 ; sys_platform != "win32"',
    "own",
]
[project.optional-dependencies]
speed = ["orjson"]

[dependency-groups]
test = ["pytest>=8", {include-group = "lint"}]
lint = ["ruff==0.6.1"]

[tool.uv.sources]
own = { git = "https://git.example/own", tag = "v1" }
orjson = [{ path = "../orjson", marker = "x" }]

[[tool.uv.index]]
name = "corp"
url = "https://user:pw@corp.example/simple"
"""
    found = read("pyproject.toml", text)
    assert told("pyproject.toml", text) == snapshot(
        [
            "8:19 '0.27.0' -> httpx 0.27.0; runtime; direct; wants ==0.27.0; extras http2",
            "9:5 'rich' -> rich *; runtime; direct; wants >= 13; if sys_platform != \"win32\"",
            "10:5 'own' -> own *; runtime; direct; git https://git.example/own; @ v1",
            "13:10 'orjson' -> orjson *; optional; direct; in speed; path ../orjson",
            "16:9 'pytest' -> pytest *; test; direct; wants >=8; in test",
            "17:15 '0.6.1' -> ruff 0.6.1; dev; direct; wants ==0.6.1; in lint",
            "2:13 'hatchling' -> hatchling *; build; direct; wants >=1.27",
        ]
    )
    assert (found.project, found.license, [index.url for index in found.indexes]) == snapshot(
        ("mine", "MIT", ["https://corp.example/simple"])
    )


def test_poetry_tables_have_their_own_grammar() -> None:
    text = """\
[tool.poetry]
name = "mine"
license = "MIT"
[tool.poetry.dependencies]
python = "^3.11"
requests = "^2.31"
exact = "1.2.3"
multi = [{version = "1.0", python = "<3.9"}, {version = "^2.0", markers = "x"}]
gitty = {git = "https://git.example/g.git", rev = "abc"}
opt = {version = "==4.0", optional = true, extras = ["a"]}
[tool.poetry.group.test.dependencies]
pytest = "*"
[tool.poetry.dev-dependencies]
black = "23.1.0"
"""
    assert told("pyproject.toml", text) == snapshot(
        [
            "6:0 'requests' -> requests *; runtime; direct; wants ^2.31",
            "7:9 '1.2.3' -> exact 1.2.3; runtime; direct",
            "8:21 '1.0' -> multi 1.0; runtime; direct; if python <3.9",
            "8:0 'multi' -> multi *; runtime; direct; wants ^2.0; if x",
            "9:0 'gitty' -> gitty *; runtime; direct; git https://git.example/g.git; @ abc",
            "10:20 '4.0' -> opt 4.0; optional; direct; wants ==4.0; extras a",
            "14:9 '23.1.0' -> black 23.1.0; dev; direct; in dev",
            "12:0 'pytest' -> pytest *; test; direct; wants *; in test",
        ]
    )


def test_a_pipfile_and_its_lock() -> None:
    text = """\
[[source]]
url = "https://registry.example/simple"
[packages]
requests = "==2.31.0"
flask = {version = ">=2", extras = ["async"]}
tool = {git = "https://git.example/t.git", ref = "main"}
[dev-packages]
pytest = "*"
[requires]
python_version = "3.11"
"""
    assert told("Pipfile", text) == snapshot(
        [
            "4:14 '2.31.0' -> requests 2.31.0; runtime; direct; wants ==2.31.0; in packages",
            "5:0 'flask' -> flask *; runtime; direct; wants >=2; in packages; extras async",
            "6:0 'tool' -> tool *; runtime; direct; in packages; git https://git.example/t.git; @ main",
            "8:0 'pytest' -> pytest *; dev; direct; wants *; in dev-packages",
        ]
    )
    lock = """\
{
    "_meta": {"hash": {"sha256": "abc"}, "sources": [{"name": "x", "url": "https://registry.example/simple"}]},
    "default": {
        "requests": {"hashes": ["sha256:0"], "markers": "python_version >= '3.7'", "version": "==2.31.0"},
        "tool": {"git": "https://git.example/t.git", "ref": "0123"}
    },
    "develop": {"pytest": {"version": "==8.0.0"}}
}
"""
    assert told("Pipfile.lock", lock) == snapshot(
        [
            "4:97 '2.31.0' -> requests 2.31.0; runtime; ?; hashed; wants ==2.31.0; in default; if python_version >= '3.7'",
            "5:9 'tool' -> tool *; runtime; ?; in default; git https://git.example/t.git; @ 0123",
            "7:41 '8.0.0' -> pytest 8.0.0; dev; ?; unhashed; wants ==8.0.0; in develop",
        ]
    )
    assert read("Pipfile.lock", lock).content_hash == "abc"


def test_a_conda_environment_with_a_pip_section() -> None:
    text = """\
name: science
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy==1.26.4
  - conda-forge::scipy=1.11.0=py311_0
  - "pandas>=2,<3"
  - pip
  - pip:
    - requests==2.31.0
    - -r extra.txt
"""
    assert told("environment.yml", text, {"extra.txt": "attrs==1.0\n"}) == snapshot(
        [
            "4:4 'python' -> python *; runtime; direct; wants =3.11",
            "5:11 '1.26.4' -> numpy 1.26.4; runtime; direct; wants ==1.26.4",
            "6:23 '1.11.0' -> scipy 1.11.0; runtime; direct; wants =1.11.0=py311_0; registry conda-forge",
            "7:5 'pandas' -> pandas *; runtime; direct; wants >=2,<3",
            "8:4 'pip' -> pip *; runtime; direct",
            "10:16 '2.31.0' -> requests 2.31.0; runtime; direct; wants ==2.31.0; in pip",
        ]
    )
    found = read("environment.yml", text, {"extra.txt": "attrs==1.0\n"})
    assert [lines(file, "attrs==1.0\n") for file in found.included] == snapshot(
        [["1:7 '1.0' -> attrs 1.0; runtime; direct; wants ==1.0"]]
    )
