"""uv.lock, poetry.lock, pdm.lock, pylock.toml."""

from inline_snapshot import snapshot

from tests.dependency_scan.readers.reading import read, told


def test_a_uv_lock_knows_its_members_graph_and_groups() -> None:
    text = """\
version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
members = ["mine", "part"]

[[package]]
name = "anyio"
version = "4.4.0"
source = { registry = "https://user:pw@registry.example/simple" }
dependencies = [
    { name = "idna" },
    { name = "sniffio", marker = "python_full_version < '3.11'" },
]
sdist = { url = "https://files.example/anyio-4.4.0.tar.gz", hash = "sha256:0", size = 1 }
wheels = [
    { url = "https://files.example/anyio-4.4.0-py3-none-any.whl", hash = "sha256:1", size = 2 },
]

[[package]]
name = "idna"
version = "3.7"
source = { registry = "https://registry.example/simple" }
wheels = [{ url = "https://files.example/idna-3.7-py3-none-any.whl" }]

[[package]]
name = "mine"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "anyio" },
]
[package.optional-dependencies]
git = [{ name = "gitty" }]
[package.dev-dependencies]
dev = [
    { name = "sniffio" },
]
[package.metadata]
requires-dist = [
    { name = "anyio", specifier = ">=4" },
    { name = "Gitty", marker = "extra == 'git'", git = "https://git.example/g" },
]
[package.metadata.requires-dev]
dev = [{ name = "sniffio", specifier = "==1.3.1" }]

[[package]]
name = "part"
version = "0.2.0"
source = { editable = "packages/part" }

[[package]]
name = "gitty"
version = "1.0"
source = { git = "https://git.example/g?rev=main#0123456789" }

[[package]]
name = "sniffio"
version = "1.3.1"
source = { registry = "https://registry.example/simple" }
sdist = { url = "https://files.example/sniffio-1.3.1.tar.gz", hash = "sha256:2" }
"""
    found = read("uv.lock", text)
    assert told("uv.lock", text) == snapshot(
        [
            "10:11 '4.4.0' -> anyio 4.4.0; runtime; direct; hashed; for mine; registry https://registry.example/simple",
            "23:11 '3.7' -> idna 3.7; runtime; indirect; unhashed; for anyio; registry https://registry.example/simple",
            "29:11 '0.1.0' -> mine 0.1.0; runtime; indirect; workspace .",
            "50:11 '0.2.0' -> part 0.2.0; runtime; indirect; workspace packages/part",
            "55:11 '1.0' -> gitty 1.0; optional; direct; for mine; git https://git.example/g; @ 0123456789",
            "60:11 '1.3.1' -> sniffio 1.3.1; runtime; direct; hashed; for anyio,mine; registry https://registry.example/simple",
        ]
    )
    assert found.project == "mine"
    recorded = [(item.name, item.requirement, item.scope.value, item.group) for item in found.recorded]
    assert recorded == snapshot(
        [
            ("anyio", ">=4", "runtime", None),
            ("gitty", None, "optional", "git"),
            ("sniffio", "==1.3.1", "dev", "dev"),
        ]
    )


def test_poetry_locks_old_and_new() -> None:
    text = """\
[[package]]
name = "black"
version = "24.1.0"
optional = false
groups = ["dev"]
markers = "python_version < \\"4\\""
files = [
    {file = "black-24.1.0.tar.gz", hash = "sha256:0"},
]

[package.dependencies]
click = ">=8.0.0"
tomli = {version = ">=1.1.0", markers = "x"}

[[package]]
name = "click"
version = "8.1.7"
optional = true
groups = ["main", "dev"]
files = []

[[package]]
name = "old"
version = "1.0"
category = "main"

[package.source]
type = "git"
url = "https://git.example/old.git"
reference = "main"
resolved_reference = "abcdef"

[[package]]
name = "private"
version = "2.0"
category = "dev"

[package.source]
type = "legacy"
url = "https://me:pw@corp.example/simple"

[metadata]
content-hash = "hash-of-manifest"

[metadata.files]
private = [{file = "x", hash = "sha256:1"}]
"""
    assert told("poetry.lock", text) == snapshot(
        [
            "3:11 '24.1.0' -> black 24.1.0; dev; ?; hashed; in dev; if python_version < \"4\"",
            "17:11 '8.1.7' -> click 8.1.7; optional; ?; unhashed; in main; for black",
            "24:11 '1.0' -> old 1.0; runtime; ?; git https://git.example/old.git; @ abcdef",
            "35:11 '2.0' -> private 2.0; dev; ?; hashed; registry https://corp.example/simple",
        ]
    )
    assert read("poetry.lock", text).content_hash == "hash-of-manifest"


def test_a_pdm_lock() -> None:
    text = """\
[metadata]
groups = ["default", "test"]
content_hash = "sha256:xyz"

[[package]]
name = "requests"
version = "2.31.0"
groups = ["default"]
dependencies = ["idna<4,>=2.5"]
files = [
    {file = "requests.whl", hash = "sha256:0"},
]

[[package]]
name = "requests"
version = "2.31.0"
extras = ["socks"]
groups = ["default"]
dependencies = ["requests==2.31.0"]

[[package]]
name = "idna"
version = "3.4"
groups = ["default", "test"]

[[package]]
name = "tool"
version = "0.1"
git = "https://git.example/tool.git"
revision = "0123"
groups = ["test"]
"""
    assert told("pdm.lock", text) == snapshot(
        [
            "7:11 '2.31.0' -> requests 2.31.0; runtime; ?; hashed; in default",
            "23:11 '3.4' -> idna 3.4; runtime; ?; unhashed; in default; for requests",
            "28:11 '0.1' -> tool 0.1; test; ?; in test; git https://git.example/tool.git; @ 0123",
        ]
    )


def test_a_pylock() -> None:
    text = """\
lock-version = "1.0"
created-by = "tool"
[[packages]]
name = "attrs"
version = "25.1.0"
index = "https://registry.example/simple"
wheels = [{name = "attrs.whl", url = "https://files.example/a.whl", hashes = {sha256 = "0"}}]
[[packages]]
name = "cattrs"
version = "24.1.2"
dependencies = [{name = "attrs"}]
sdist = {name = "cattrs.tar.gz", hashes = {}}
[[packages]]
name = "tool"
marker = "os_name == 'posix'"
vcs = {type = "git", url = "https://git.example/t", commit-id = "0123"}
[[packages]]
name = "local"
directory = {path = "libs/local"}
[[packages]]
name = "archived"
archive = {url = "https://files.example/x.zip", hashes = {sha256 = "1"}}
"""
    assert told("pylock.dev.toml", text) == snapshot(
        [
            "5:11 '25.1.0' -> attrs 25.1.0; unknown; ?; hashed; for cattrs; registry https://registry.example/simple",
            "10:11 '24.1.2' -> cattrs 24.1.2; unknown; ?; unhashed",
            "14:8 'tool' -> tool *; unknown; ?; if os_name == 'posix'; git https://git.example/t; @ 0123",
            "18:8 'local' -> local *; unknown; ?; path libs/local",
            "21:8 'archived' -> archived *; unknown; ?; hashed; url https://files.example/x.zip",
        ]
    )
