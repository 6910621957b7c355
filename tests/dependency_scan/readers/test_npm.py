"""package.json and the lockfiles of npm, yarn, pnpm and bun."""
# ruff: noqa: E501 - a snapshot's lines are as long as what was read

from inline_snapshot import snapshot

from tests.dependency_scan.readers.reading import read, told


def test_a_package_json() -> None:
    text = """\
{
  "name": "mine", "license": "MIT",
  "dependencies": {
    "react": "^18.2.0", "exact": "1.2.3", "other": "npm:@real/thing@=2.0.0",
    "ours": "workspace:*", "forked": "github:team/forked#v1", "remote": "https://t:k@files.example/a.tgz?x=y",
    "local": "file:../local", "short": "team/repo", "any": "", "cat": "catalog:", "bad": 1
  },
  "devDependencies": {"jest": "~29.0.0"},
  "peerDependencies": {"peer": ">=1", "maybe": "1.x"},
  "peerDependenciesMeta": {"maybe": {"optional": true}}
}
"""
    assert told("package.json", text) == snapshot(
        [
            "4:14 '^18.2.0' -> react *; runtime; direct; wants ^18.2.0; in dependencies",
            "4:34 '1.2.3' -> exact 1.2.3; runtime; direct; in dependencies",
            "4:52 'npm:@real/thing@=2.0.0' -> @real/thing 2.0.0; runtime; direct; wants =2.0.0; as other; in dependencies",
            "5:13 'workspace:*' -> ours *; runtime; direct; wants workspace:*; in dependencies; workspace",
            "5:38 'github:team/forked#v1' -> forked *; runtime; direct; wants github:team/forked#v1; in dependencies; git github:team/forked; @ v1",
            "5:73 'https://t:k@files.example/a.tgz?x=y' -> remote *; runtime; direct; wants https://files.example/a.tgz; in dependencies; url https://files.example/a.tgz",
            "6:14 'file:../local' -> local *; runtime; direct; wants file:../local; in dependencies; path file:../local",
            "6:40 'team/repo' -> short *; runtime; direct; wants team/repo; in dependencies; git team/repo",
            "6:53 'any' -> any *; runtime; direct; in dependencies",
            "6:71 'catalog:' -> cat *; runtime; direct; wants catalog:; in dependencies",
            "8:31 '~29.0.0' -> jest *; dev; direct; wants ~29.0.0; in devDependencies",
            "9:32 '>=1' -> peer *; runtime; direct; wants >=1; in peerDependencies",
            "9:48 '1.x' -> maybe *; optional; direct; wants 1.x; in peerDependencies",
            "! bad-dependency: line 6: the range of 'bad' is not a text",
        ]
    )
    found = read("package.json", text)
    assert (found.project, found.license) == ("mine", "MIT")


def test_a_package_lock_of_version_3_resolves_each_copy() -> None:
    text = """\
{
  "name": "mine", "lockfileVersion": 3,
  "packages": {
    "": {"name": "mine", "workspaces": ["packages/*"], "dependencies": {"a": "^1.0.0", "al": "npm:real@^3.0.0"}},
    "packages/w": {"name": "@mine/w", "version": "0.1.0", "devDependencies": {"b": "^2.0.0"}},
    "node_modules/@mine/w": {"resolved": "packages/w", "link": true},
    "node_modules/a": {"version": "1.0.1", "resolved": "https://registry.example/a/-/a-1.0.1.tgz",
      "integrity": "sha512-x", "license": "MIT", "dependencies": {"b": "^1.0.0"}, "hasInstallScript": true},
    "node_modules/a/node_modules/b": {"version": "1.9.0", "integrity": "sha512-y", "deprecated": "use c"},
    "node_modules/al": {"name": "real", "version": "3.0.0", "resolved": "https://registry.example/real.tgz"},
    "node_modules/b": {"version": "2.0.0", "dev": true, "license": {"type": "ISC"}},
    "node_modules/g": {"version": "0.0.1", "resolved": "git+ssh://git@git.example/g.git#0123", "optional": true},
    "node_modules/bad": "text"
  }
}
"""
    assert told("package-lock.json", text) == snapshot(
        [
            "5:50 '0.1.0' -> @mine/w 0.1.0; runtime; indirect; workspace packages/w",
            "7:35 '1.0.1' -> a 1.0.1; runtime; direct; hashed; registry https://registry.example/a/-/a-1.0.1.tgz; licence MIT; runs a script",
            "9:50 '1.9.0' -> b 1.9.0; runtime; indirect; hashed; for a; deprecated: use c",
            "10:52 '3.0.0' -> real 3.0.0; runtime; direct; unhashed; as al; registry https://registry.example/real.tgz",
            "11:35 '2.0.0' -> b 2.0.0; dev; direct; unhashed; for @mine/w; licence ISC",
            "12:35 '0.0.1' -> g 0.0.1; optional; indirect; git git+ssh://git.example/g.git; @ 0123",
            "! bad-dependency: line 13: 'node_modules/bad' is no table",
        ]
    )
    recorded = [
        (item.name, item.requirement, item.scope.value, item.group)
        for item in read("npm-shrinkwrap.json", text).recorded
    ]
    assert recorded == snapshot(
        [
            ("a", "^1.0.0", "runtime", None),
            ("al", "npm:real@^3.0.0", "runtime", None),
            ("b", "^2.0.0", "dev", "packages/w"),
        ]
    )


def test_a_package_lock_of_version_1_is_nested() -> None:
    text = """\
{
  "name": "mine", "lockfileVersion": 1, "requires": true,
  "dependencies": {
    "a": {"version": "1.0.1", "resolved": "https://registry.example/a.tgz", "integrity": "sha512-x",
      "requires": {"b": "^1.0.0"},
      "dependencies": {"b": {"version": "1.9.0", "integrity": "sha1-y"}}},
    "al": {"version": "npm:real@3.0.0", "dev": true},
    "b": {"version": "2.0.0", "bundled": true},
    "g": {"version": "git+https://git.example/g.git#0123", "from": "g@git+https://git.example/g.git"},
    "t": {"version": "https://files.example/t.tgz"}
  }
}
"""
    assert told("package-lock.json", text) == snapshot(
        [
            "4:22 '1.0.1' -> a 1.0.1; runtime; ?; hashed; registry https://registry.example/a.tgz",
            "7:32 '3.0.0' -> real 3.0.0; dev; ?; unhashed; as al",
            "8:22 '2.0.0' -> b 2.0.0; runtime; ?",
            "9:22 'git+https://git.example/g.git#0123' -> g *; runtime; ?; git git+https://git.example/g.git; @ 0123",
            "10:22 'https://files.example/t.tgz' -> t *; runtime; ?; unhashed; url https://files.example/t.tgz",
            "6:41 '1.9.0' -> b 1.9.0; runtime; ?; hashed; for a",
        ]
    )


def test_a_yarn_1_lock() -> None:
    text = """\
# yarn lockfile v1


"@babel/core@^7.0.0", "@babel/core@^7.1.0":
  version "7.24.0"
  resolved "https://registry.example/@babel/core/-/core-7.24.0.tgz#abc"
  integrity sha512-x
  dependencies:
    semver "^6.3.1"
    "@babel/types" "^7.0.0"

semver@^6.3.1:
  version "6.3.1"
  resolved "https://registry.example/semver.tgz"

"alias@npm:real@^1.0.0":
  version "1.0.1"

"tool@git+https://git.example/tool.git":
  version "0.1.0"
  resolved "git+https://git.example/tool.git#0123"
"""
    assert told("yarn.lock", text) == snapshot(
        [
            "5:11 '7.24.0' -> @babel/core 7.24.0; unknown; ?; hashed; wants ^7.0.0; registry https://registry.example/@babel/core/-/core-7.24.0.tgz",
            "13:11 '6.3.1' -> semver 6.3.1; unknown; ?; unhashed; wants ^6.3.1; for @babel/core; registry https://registry.example/semver.tgz",
            "17:11 '1.0.1' -> real 1.0.1; unknown; ?; unhashed; wants ^1.0.0; as alias",
            "20:11 '0.1.0' -> tool 0.1.0; unknown; ?; wants git+https://git.example/tool.git; git git+https://git.example/tool.git; @ 0123",
        ]
    )


def test_a_yarn_berry_lock() -> None:
    text = """\
__metadata:
  version: 8
  cacheKey: 10

"@babel/core@npm:^7.0.0, @babel/core@npm:^7.1.0":
  version: 7.24.0
  resolution: "@babel/core@npm:7.24.0"
  dependencies:
    semver: "npm:^6.3.1"
  checksum: 10/abc
  languageName: node
  linkType: hard

"alias@npm:real@^1.0.0":
  version: 1.0.1
  resolution: "real@npm:1.0.1"

"fsevents@patch:fsevents@npm%3A^2.3.2#optional!builtin<compat/fsevents>":
  version: 2.3.3
  resolution: "fsevents@patch:fsevents@npm%3A2.3.3#optional!builtin<compat/fsevents>::version=2.3.3&hash=df0bf1"

"mine@workspace:.":
  version: 0.0.0-use.local
  resolution: "mine@workspace:."
  dependencies:
    "@babel/core": "npm:^7.0.0"
    tool: "https://git.example/tool.git#commit=0123"

"semver@npm:^6.3.1":
  version: 6.3.1
  resolution: "semver@npm:6.3.1"
  checksum: 10/def

"tool@https://git.example/tool.git#commit=0123":
  version: 0.1.0
  resolution: "tool@https://git.example/tool.git#commit=0123"
"""
    assert told("yarn.lock", text) == snapshot(
        [
            "6:11 '7.24.0' -> @babel/core 7.24.0; unknown; direct; hashed; wants ^7.0.0; for mine",
            "15:11 '1.0.1' -> real 1.0.1; unknown; indirect; unhashed; wants ^1.0.0; as alias",
            "19:11 '2.3.3' -> fsevents 2.3.3; unknown; indirect; unhashed; wants patch:fsevents@npm%3A^2.3.2#optional!builtin<compat/fsevents>",
            "23:11 '0.0.0-use.local' -> mine 0.0.0-use.local; unknown; indirect; wants workspace:.; workspace .",
            "30:11 '6.3.1' -> semver 6.3.1; unknown; indirect; hashed; wants ^6.3.1; for @babel/core",
            "35:11 '0.1.0' -> tool 0.1.0; unknown; direct; wants https://git.example/tool.git#commit=0123; for mine; git https://git.example/tool.git; @ 0123",
        ]
    )
    assert read("yarn.lock", text).project == "mine"


def test_a_pnpm_lock_of_version_9() -> None:
    text = """\
lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      '@vue/core':
        specifier: ^3.0.0
        version: 3.4.0(typescript@5.4.0)
    devDependencies:
      typescript:
        specifier: 5.4.0
        version: 5.4.0
      lit:
        specifier: https://codeload.example/lit
        version: https://codeload.example/lit

packages:

  '@vue/core@3.4.0':
    resolution: {integrity: sha512-x}
    peerDependencies:
      typescript: '*'

  lit@https://codeload.example/lit:
    resolution: {tarball: https://codeload.example/lit}
    version: 1.0.0

  nanoid@3.3.7:
    resolution: {integrity: sha512-y}
    deprecated: |-
      Please
      upgrade

  typescript@5.4.0:
    resolution: {integrity: sha512-z}

snapshots:

  '@vue/core@3.4.0(typescript@5.4.0)':
    dependencies:
      nanoid: 3.3.7
      typescript: 5.4.0

  lit@https://codeload.example/lit: {}
  nanoid@3.3.7: {}
  typescript@5.4.0: {}
"""
    assert told("pnpm-lock.yaml", text) == snapshot(
        [
            "20:13 '3.4.0' -> @vue/core 3.4.0; runtime; direct; hashed",
            "27:13 '1.0.0' -> lit 1.0.0; dev; direct; unhashed; url https://codeload.example/lit",
            """\
29:9 '3.3.7' -> nanoid 3.3.7; runtime; indirect; hashed; for @vue/core; deprecated: Please
upgrade\
""",
            "35:13 '5.4.0' -> typescript 5.4.0; runtime; direct; hashed; for @vue/core",
        ]
    )
    assert [(item.name, item.requirement) for item in read("pnpm-lock.yaml", text).recorded] == snapshot(
        [
            ("@vue/core", "^3.0.0"),
            ("typescript", "5.4.0"),
            ("lit", "https://codeload.example/lit"),
        ]
    )


def test_pnpm_locks_of_versions_5_and_6() -> None:
    old = """\
lockfileVersion: 5.4
specifiers:
  '@vue/core': ^3.0.0
dependencies:
  '@vue/core': 3.4.0_typescript@5.4.0
packages:
  /@vue/core/3.4.0_typescript@5.4.0:
    resolution: {integrity: sha512-x}
    dependencies:
      nanoid: 3.3.7
    dev: false
  /nanoid/3.3.7:
    resolution: {integrity: sha512-y}
    requiresBuild: true
    dev: false
  github.com/team/tool/0123456:
    resolution: {tarball: https://codeload.example/team/tool/tar.gz/0123456}
    name: tool
    version: 2.0.0
    dev: true
"""
    assert told("pnpm-lock.yaml", old) == snapshot(
        [
            "7:13 '3.4.0' -> @vue/core 3.4.0; runtime; direct; hashed",
            "12:10 '3.3.7' -> nanoid 3.3.7; runtime; indirect; hashed; for @vue/core; runs a script",
            "19:13 '2.0.0' -> tool 2.0.0; dev; indirect; unhashed; url https://codeload.example/team/tool/tar.gz/0123456",
        ]
    )
    six = """\
lockfileVersion: '6.0'
dependencies:
  '@vue/core':
    specifier: ^3.0.0
    version: 3.4.0(typescript@5.4.0)
packages:
  /@vue/core@3.4.0(typescript@5.4.0):
    resolution: {integrity: sha512-x}
    dependencies:
      nanoid: 3.3.7
    dev: false
  /nanoid@3.3.7:
    resolution: {integrity: sha512-y}
    dev: false
"""
    assert told("pnpm-lock.yaml", six) == snapshot(
        [
            "7:13 '3.4.0' -> @vue/core 3.4.0; runtime; direct; hashed",
            "12:10 '3.3.7' -> nanoid 3.3.7; runtime; indirect; hashed; for @vue/core",
        ]
    )


def test_a_bun_lock_with_its_trailing_commas() -> None:
    text = """\
{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "mine",
      "dependencies": {
        "@scope/a": "^1.0.0",
      },
      "devDependencies": {"al": "npm:real@2"}, // a comment
    },
    "packages/w": {"name": "w", "dependencies": {"b": "2"}},
  },
  "packages": {
    "@scope/a": ["@scope/a@1.0.1", "", { "dependencies": { "b": "^1" } }, "sha512-x"],
    "@scope/a/b": ["b@1.5.0", "https://corp.example/b.tgz", {}, "sha512-y"],
    "al": ["real@2.0.0", "", {}, ""],
    "b": ["b@2.0.0", "", {}, "sha512-z"],
    "g": ["g@github:team/g#0123", {}, "team-g-0123"],
    "w": ["w@workspace:packages/w"],
  }
}
"""
    assert told("bun.lock", text) == snapshot(
        [
            "14:27 '1.0.1' -> @scope/a 1.0.1; runtime; direct; hashed",
            "15:22 '1.5.0' -> b 1.5.0; runtime; indirect; hashed; for @scope/a; registry https://corp.example/b.tgz",
            "16:17 '2.0.0' -> real 2.0.0; dev; direct; unhashed; as al",
            "17:13 '2.0.0' -> b 2.0.0; runtime; direct; hashed; for w",
            "18:11 'g@github:team/g#0123' -> g *; unknown; indirect; wants github:team/g; git github:team/g; @ 0123",
            "19:11 'w@workspace:packages/w' -> w *; unknown; indirect; wants workspace:packages/w; workspace packages/w",
        ]
    )
