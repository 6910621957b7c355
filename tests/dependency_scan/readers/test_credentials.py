"""What a file says in its URLs about users and passwords goes nowhere."""
# ruff: noqa: E501 - a sample stands on one line

import pytest

from tests.dependency_scan.readers.reading import read

_WORD = "pass" + "word-" + "of-nobody"
_URL = f"https://user:{_WORD}@git.example/team/tool"

FILES = {
    "requirements.txt": f"--index-url {_URL}\n-i {_URL}\ntool @ {_URL}.zip\n{_URL}.zip\n-e git+{_URL}.git\n-r {_URL}\n{_URL} what is this\n",
    "pyproject.toml": f'[project]\ndependencies = ["tool @ {_URL}.zip", "bad {_URL}"]\n[tool.uv.sources]\na = {{ git = "{_URL}" }}\n[[tool.uv.index]]\nurl = "{_URL}"\n[tool.poetry.dependencies]\nt = {{ git = "{_URL}" }}\n',
    "uv.lock": f'[[package]]\nname = "t"\nversion = "1"\nsource = {{ git = "{_URL}?rev=main#0123" }}\n[[package]]\nname = "u"\nversion = "1"\nsource = {{ registry = "{_URL}" }}\n',
    "poetry.lock": f'[[package]]\nname = "t"\nversion = "1"\n[package.source]\ntype = "git"\nurl = "{_URL}"\n',
    "Pipfile": f'[[source]]\nurl = "{_URL}"\n[packages]\nt = {{git = "{_URL}"}}\n',
    "package.json": f'{{"dependencies": {{"a": "git+{_URL}.git#1", "b": "{_URL}.tgz", "c": "npm:d@{_URL}"}}}}',
    "package-lock.json": f'{{"packages": {{"": {{"dependencies": {{"a": "{_URL}"}}}}, "node_modules/a": {{"version": "1.0.0", "resolved": "{_URL}"}}}}}}',
    "npm-shrinkwrap.json": f'{{"dependencies": {{"a": {{"version": "git+{_URL}#0123"}}, "b": {{"version": "{_URL}"}}}}}}',
    "yarn.lock": f'"a@{_URL}":\n  version "1.0.0"\n  resolved "{_URL}#0"\n',
    "b/yarn.lock": f'__metadata: {{}}\n"a@{_URL}":\n  version: 1.0.0\n  resolution: "a@{_URL}"\n"w@workspace:.":\n  version: 0\n  resolution: "w@workspace:."\n  dependencies: {{a: "{_URL}"}}\n',
    "pnpm-lock.yaml": f"lockfileVersion: '9.0'\ndependencies:\n  a: {{specifier: '{_URL}', version: '{_URL}'}}\npackages:\n  a@{_URL}:\n    resolution: {{tarball: '{_URL}'}}\n  {_URL}:\n    resolution: {{}}\n",
    "bun.lock": f'{{"workspaces": {{"": {{"dependencies": {{"a": "{_URL}"}}}}}}, "packages": {{"a": ["a@{_URL}", {{}}]}}}}',
    "Cargo.toml": f'[dependencies]\na = {{ git = "{_URL}" }}\n',
    "Cargo.lock": f'[[package]]\nname = "a"\nversion = "1"\nsource = "git+{_URL}?rev=1#0123"\n',
    "Gemfile": f'source "{_URL}"\ngem "a", git: "{_URL}"\n',
    "Gemfile.lock": f"GIT\n  remote: {_URL}\n  specs:\n    a (1.0)\n",
    "composer.lock": f'{{"packages": [{{"name": "a/b", "version": "1", "source": {{"url": "{_URL}"}}, "dist": {{"type": "zip", "url": "{_URL}"}}}}]}}',
    "pubspec.yaml": f"dependencies:\n  a: {{git: '{_URL}'}}\n  b: {{hosted: '{_URL}'}}\n",
    "pubspec.lock": f'packages:\n  a: {{source: git, version: "1", description: {{url: "{_URL}"}}}}\n',
    "mix.lock": f'%{{\n  "a": {{:git, "{_URL}", "0123", []}},\n}}\n',
}


@pytest.mark.parametrize("path", sorted(FILES))
def test_no_answer_holds_a_password(path: str) -> None:
    found = read(path, FILES[path])
    assert found.dependencies
    assert "git.example" in repr(found)
    assert _WORD not in repr(found)
