"""Cargo.toml, Cargo.lock, go.mod, go.sum."""
# ruff: noqa: E501 - a snapshot's lines are as long as what was read

from inline_snapshot import snapshot

from tests.dependency_scan.readers.reading import read, told


def test_a_cargo_manifest() -> None:
    text = """\
[package]
name = "mine"
license = "MIT OR Apache-2.0"
[dependencies]
serde = { version = "1.0", features = ["derive"] }
exact = "=1.2.3"
renamed = { package = "real-name", version = "2" }
gitty = { git = "https://git.example/g", rev = "0123" }
near = { path = "../near" }
shared.workspace = true
opt = { version = "1", optional = true }
[dev-dependencies]
insta = "1"
[build-dependencies.cc]
version = "1.0"
[target.'cfg(windows)'.dependencies]
winapi = "0.3"
[workspace.dependencies]
shared = "3.1"
"""
    assert told("Cargo.toml", text) == snapshot(
        [
            "5:21 '1.0' -> serde *; runtime; direct; wants 1.0; extras derive",
            "6:9 '=1.2.3' -> exact 1.2.3; runtime; direct; wants =1.2.3",
            "7:46 '2' -> real-name *; runtime; direct; wants 2; as renamed",
            "8:0 'gitty' -> gitty *; runtime; direct; git https://git.example/g; @ 0123",
            "9:0 'near' -> near *; runtime; direct; path ../near",
            "10:0 'shared' -> shared *; runtime; direct; workspace",
            "11:19 '1' -> opt *; optional; direct; wants 1",
            "13:9 '1' -> insta *; dev; direct; wants 1",
            "15:11 '1.0' -> cc *; build; direct; wants 1.0",
            "17:10 '0.3' -> winapi *; runtime; direct; wants 0.3; if cfg(windows)",
            "19:10 '3.1' -> shared *; runtime; direct; wants 3.1; in workspace",
        ]
    )
    assert read("Cargo.toml", text).license == "MIT OR Apache-2.0"


def test_a_cargo_lock_of_any_version() -> None:
    text = """\
version = 3
[[package]]
name = "mine"
version = "0.1.0"
dependencies = [
 "rand 0.8.5",
 "serde",
]
[[package]]
name = "rand"
version = "0.7.3"
source = "registry+https://index.example/git"
checksum = "00"
dependencies = ["serde 1.0.0 (registry+https://index.example/git)"]
[[package]]
name = "rand"
version = "0.8.5"
source = "git+https://git.example/rand?branch=main#0123"
[[package]]
name = "serde"
version = "1.0.0"
source = "registry+https://index.example/git"

[metadata]
"checksum serde 1.0.0 (registry+https://index.example/git)" = "11"
"""
    assert told("Cargo.lock", text) == snapshot(
        [
            "4:11 '0.1.0' -> mine 0.1.0; unknown; indirect; workspace",
            "11:11 '0.7.3' -> rand 0.7.3; unknown; indirect; hashed; registry https://index.example/git",
            "17:11 '0.8.5' -> rand 0.8.5; unknown; direct; for mine; git https://git.example/rand; @ 0123",
            "21:11 '1.0.0' -> serde 1.0.0; unknown; direct; hashed; for mine,rand; registry https://index.example/git",
        ]
    )


def test_a_go_mod() -> None:
    text = """\
module example.com/mine // the name

go 1.22.3
toolchain go1.23.1

require example.com/single v1.2.3
require (
	example.com/a v1.0.0-20240101000000-abcdef123456
	"example.com/quoted" v2.0.0+incompatible // indirect; note
	example.com/fork v1.0.0
	example.com/local v0.0.0
	example.com/out v1.1.1
)
exclude example.com/out v1.1.1
replace example.com/fork => example.com/mine/fork v1.0.1
replace (
	example.com/local v0.0.0 => ../local
)
retract [v1.0.0, v1.0.5]
nonsense here
"""
    assert told("go.mod", text) == snapshot(
        [
            "3:3 '1.22.3' -> stdlib 1.22.3; runtime; direct",
            "4:12 '1.23.1' -> toolchain 1.23.1; build; direct; wants go1.23.1",
            "6:27 'v1.2.3' -> example.com/single 1.2.3; runtime; direct; wants v1.2.3",
            "8:15 'v1.0.0-20240101000000-abcdef123456' -> example.com/a 1.0.0-20240101000000-abcdef123456; runtime; direct; wants v1.0.0-20240101000000-abcdef123456",
            "9:22 'v2.0.0+incompatible' -> example.com/quoted 2.0.0+incompatible; runtime; indirect; wants v2.0.0+incompatible",
            "15:50 'v1.0.1' -> example.com/mine/fork 1.0.1; runtime; direct; wants v1.0.0; as example.com/fork",
            "11:19 'v0.0.0' -> example.com/local *; runtime; direct; wants v0.0.0; path ../local",
            "! bad-dependency: line 20: not a directive of go.mod",
        ]
    )
    assert read("go.mod", text).project == "example.com/mine"


def test_a_go_sum_vouches_for_modules() -> None:
    text = """\
example.com/a v1.0.0 h1:abc=
example.com/a v1.0.0/go.mod h1:def=
example.com/b v2.0.0+incompatible h1:ghi=
<<<<<<< ours
"""
    assert told("go.sum", text) == snapshot(
        [
            "1:14 'v1.0.0' -> example.com/a 1.0.0; unknown; ?; hashed; wants v1.0.0",
            "3:14 'v2.0.0+incompatible' -> example.com/b 2.0.0+incompatible; unknown; ?; hashed; wants v2.0.0+incompatible",
            "! bad-dependency: line 4: not a line of go.sum",
        ]
    )
