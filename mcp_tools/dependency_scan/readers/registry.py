"""Which reader reads which file, by its name."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mcp_tools.dependency_scan.readers.actions import read_workflow
from mcp_tools.dependency_scan.readers.bun import read_bun_lock
from mcp_tools.dependency_scan.readers.cargo import read_cargo_lock, read_cargo_toml
from mcp_tools.dependency_scan.readers.conda import read_environment
from mcp_tools.dependency_scan.readers.dart import read_pubspec, read_pubspec_lock
from mcp_tools.dependency_scan.readers.docker import read_dockerfile
from mcp_tools.dependency_scan.readers.dotnet import read_msbuild, read_packages_config, read_packages_lock
from mcp_tools.dependency_scan.readers.elixir import read_mix_lock
from mcp_tools.dependency_scan.readers.gather import Opener
from mcp_tools.dependency_scan.readers.go import read_go_mod, read_go_sum
from mcp_tools.dependency_scan.readers.gradle import read_gradle_lockfile, read_version_catalog
from mcp_tools.dependency_scan.readers.maven import read_pom
from mcp_tools.dependency_scan.readers.npm_lock import read_npm_lock
from mcp_tools.dependency_scan.readers.npm_manifest import read_package_json
from mcp_tools.dependency_scan.readers.php import read_composer_json, read_composer_lock
from mcp_tools.dependency_scan.readers.pipenv import read_pipfile, read_pipfile_lock
from mcp_tools.dependency_scan.readers.pnpm import read_pnpm_lock
from mcp_tools.dependency_scan.readers.pyproject import read_pyproject
from mcp_tools.dependency_scan.readers.python_locks import read_pdm_lock, read_poetry_lock, read_pylock
from mcp_tools.dependency_scan.readers.requirements import read_constraints, read_requirements
from mcp_tools.dependency_scan.readers.ruby import read_gemfile, read_gemfile_lock
from mcp_tools.dependency_scan.readers.uv_lock import read_uv_lock
from mcp_tools.dependency_scan.readers.yarn import read_yarn_lock
from mcp_tools.dependency_scan.values import FileRead, Kind
from mcp_tools.finding import Notice
from mcp_tools.project import Source

MAX_CHARS: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Reader:
    """How one kind of file is read. `read` never raises for what the text holds."""

    format: str
    kind: Kind
    read: Callable[[Source, Opener], FileRead]


_M, _L = Kind.MANIFEST, Kind.LOCKFILE
_BY_NAME: Final = {
    "pyproject.toml": Reader("pyproject", _M, read_pyproject),
    "uv.lock": Reader("uv-lock", _L, read_uv_lock),
    "poetry.lock": Reader("poetry-lock", _L, read_poetry_lock),
    "pdm.lock": Reader("pdm-lock", _L, read_pdm_lock),
    "pylock.toml": Reader("pylock", _L, read_pylock),
    "Pipfile": Reader("pipfile", _M, read_pipfile),
    "Pipfile.lock": Reader("pipfile-lock", _L, read_pipfile_lock),
    "package.json": Reader("package-json", _M, read_package_json),
    "package-lock.json": Reader("npm-lock", _L, read_npm_lock),
    "npm-shrinkwrap.json": Reader("npm-lock", _L, read_npm_lock),
    "yarn.lock": Reader("yarn-lock", _L, read_yarn_lock),
    "pnpm-lock.yaml": Reader("pnpm-lock", _L, read_pnpm_lock),
    "bun.lock": Reader("bun-lock", _L, read_bun_lock),
    "Cargo.toml": Reader("cargo-toml", _M, read_cargo_toml),
    "Cargo.lock": Reader("cargo-lock", _L, read_cargo_lock),
    "go.mod": Reader("go-mod", _M, read_go_mod),
    "go.sum": Reader("go-sum", _L, read_go_sum),
    "pom.xml": Reader("pom", _M, read_pom),
    "gradle.lockfile": Reader("gradle-lock", _L, read_gradle_lockfile),
    "buildscript-gradle.lockfile": Reader("gradle-lock", _L, read_gradle_lockfile),
    "Gemfile": Reader("gemfile", _M, read_gemfile),
    "gems.rb": Reader("gemfile", _M, read_gemfile),
    "Gemfile.lock": Reader("gemfile-lock", _L, read_gemfile_lock),
    "gems.locked": Reader("gemfile-lock", _L, read_gemfile_lock),
    "composer.json": Reader("composer-json", _M, read_composer_json),
    "composer.lock": Reader("composer-lock", _L, read_composer_lock),
    "packages.lock.json": Reader("nuget-lock", _L, read_packages_lock),
    "packages.config": Reader("nuget-config", _M, read_packages_config),
    "Directory.Packages.props": Reader("msbuild", _M, read_msbuild),
    "Directory.Build.props": Reader("msbuild", _M, read_msbuild),
    "pubspec.yaml": Reader("pubspec", _M, read_pubspec),
    "pubspec.lock": Reader("pubspec-lock", _L, read_pubspec_lock),
    "mix.lock": Reader("mix-lock", _L, read_mix_lock),
}
_REQUIREMENTS = Reader("requirements", _M, read_requirements)
_BY_SHAPE: Final = (
    (r"pylock\.[^.]+\.toml", _BY_NAME["pylock.toml"]),
    (r"(?:[\w.-]*[-_.])?requirements?(?:[-_.][\w.-]*)?\.(?:txt|in)", _REQUIREMENTS),
    (r"(?:[\w.-]*[-_.])?constraints?(?:[-_.][\w.-]*)?\.(?:txt|in)", Reader("constraints", _M, read_constraints)),
    (r"(?:[\w.-]*[-_])?environment(?:[-_.][\w.-]*)?\.ya?ml", Reader("conda", _M, read_environment)),
    (r"[\w.-]+\.versions\.toml", Reader("gradle-catalog", _M, read_version_catalog)),
    (r".+\.(?:cs|fs|vb)proj", _BY_NAME["Directory.Packages.props"]),
    (r"(?:.+\.)?(?:Dockerfile|Containerfile)(?:\..+)?|.+\.dockerfile", Reader("dockerfile", _M, read_dockerfile)),
    (r"action\.ya?ml", Reader("github-workflow", _M, read_workflow)),
)
_SHAPES: Final = tuple((re.compile(shape), reader) for shape, reader in _BY_SHAPE)
_WORKFLOW = re.compile(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml")
_IN_REQUIREMENTS = re.compile(r"(?:.*/)?requirements/[^/]+\.(?:txt|in)")


def reader_of(path: str) -> Reader | None:
    """The reader of a project-relative path; None when the name is no manifest's or lockfile's."""
    name = path.rpartition("/")[2]
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    if _WORKFLOW.fullmatch(path):
        return Reader("github-workflow", _M, read_workflow)
    if _IN_REQUIREMENTS.fullmatch(path):
        return _REQUIREMENTS
    return next((reader for shape, reader in _SHAPES if shape.fullmatch(name)), None)


def read_file(source: Source, open_other: Opener) -> FileRead | None:
    """Read a manifest or lockfile; None when its name is neither's.

    Args:
        source: the file.
        open_other: gives a further file of the project by its canonical relative path, or why not. It is asked only
            for paths inside the project, each once.
    """
    reader = reader_of(source.path)
    if reader is None:
        return None
    if len(source.text) > MAX_CHARS:
        told = Notice("file-too-large", f"not read: longer than {MAX_CHARS:,} characters", source.path, incomplete=True)
        return FileRead(source.path, reader.format, reader.kind, notices=(told,))
    return reader.read(source, open_other)
