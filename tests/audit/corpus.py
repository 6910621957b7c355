"""Sources to quote from: real files where the machine has some, and made-up programs in five languages everywhere."""

import random
import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from mcp_tools.project import Source

_SUFFIXES = {".py": "python", ".js": "javascript", ".ts": "typescript", ".go": "go", ".rs": "rust", ".java": "java"}
_NOUNS = (
    "account batch cache client cursor event header invoice job ledger member order packet quota route token".split()
)
_VERBS = "apply build check close decode drain fetch flush insert load merge parse reload send store update".split()
_ADJECTIVES = "active cached default expired initial latest local nested pending previous raw remote stale".split()

# Each program is a head, then functions made of statements. {N} a name, {V} a verb, {n} a number, {F} a field, {S} a
# string; an indented statement's inner lines are indented by the block they stand in.
_LANGUAGES = {
    "python": (
        "import logging\nimport os\n\nlog = logging.getLogger(__name__)\n",
        "def {V}_{N}(self, {F}, limit={n}):\n{body}\n    return {F}\n",
        "",
        (
            "{F} = self.{V}_{N}({F}, {n})",
            "if {F} is None:\n    return None",
            'log.debug("{S} %s", {F})',
            "for {F} in self._{N}:\n    self.{V}({F}, limit={n})",
            'raise ValueError(f"{S}: {{{F}!r}}")',
            "with self._lock:\n    self._{N}[{F}] = {n}",
            "try:\n    os.{V}({F})\nexcept OSError:\n    pass",
            "self.{N}s.append({F})  # {S}",
        ),
    ),
    "typescript": (
        'import {{ readFile }} from "fs/promises";\n',
        "  async {V}{N}({F}: string, limit = {n}): Promise<number> {{\n{body}\n    return limit;\n  }}\n",
        "export class {N}Store {{\n{functions}\n}}\n",
        (
            "const {F} = await this.{V}{N}({n});",
            "if (!{F}) {{\n  return {n};\n}}",
            "throw new Error(`{S}: ${{{F}}}`);",
            'this.{N}.set("{S}", {F});',
            "for (const {F} of this.{N}Items) {{\n  this.{V}({F}, {n});\n}}",
            "// {S}",
            "limit = Math.max(limit, {F}.length + {n});",
        ),
    ),
    "go": (
        'package store\n\nimport (\n\t"context"\n\t"fmt"\n)\n',
        "func (s *Store) {V}{N}(ctx context.Context, {F} string) (int, error) {{\n{body}\n\treturn {n}, nil\n}}\n",
        "",
        (
            "{F}, err := s.{V}{N}(ctx, {n})",
            "if err != nil {{\n    return 0, err\n}}",
            'if err != nil {{\n    return 0, fmt.Errorf("{S}: %w", err)\n}}',
            "defer s.mu.Unlock()",
            "for _, {F} := range s.{N}s {{\n    s.{V}({F})\n}}",
            's.log.Info("{S}", "{F}", {F})',
            "// {S}",
        ),
    ),
    "java": (
        "package org.example.store;\n\nimport java.util.List;\n",
        "    public int {V}{N}(String {F}, int limit) {{\n{body}\n        return limit + {n};\n    }}\n",
        "public final class {N}Service {{\n{functions}\n}}\n",
        (
            "String {F} = this.{N}.{V}({n});",
            "if ({F} == null) {{\n    return 0;\n}}",
            'throw new IllegalStateException("{S}: " + {F});',
            "for (String {F} : this.{N}s) {{\n    {V}({F}, {n});\n}}",
            'LOG.info("{S} {{}}", {F});',
            "limit += this.{N}s.size();  // {S}",
            '@SuppressWarnings("{S}")',
        ),
    ),
    "rust": (
        "use std::collections::HashMap;\n",
        "    pub fn {V}_{N}(&mut self, {F}: &str) -> Result<usize, Error> {{\n{body}\n        Ok({n})\n    }}\n",
        "impl {N} {{\n{functions}\n}}\n",
        (
            "let {F} = self.{V}_{N}({n})?;",
            "if {F}.is_empty() {{\n    return Err(Error::Empty);\n}}",
            'tracing::debug!("{S} {{}}", {F});',
            'let {F} = self.{N}.get("{S}").unwrap_or(&{n});',
            "for {F} in &self.{N}s {{\n    self.{V}({F});\n}}",
            "match {F} {{\n    Some(found) => found.{V}(),\n    None => return Ok(0),\n}}",
            "// {S}",
        ),
    ),
}


def made_up(language: str, random_: random.Random, functions: int = 40) -> Source:
    """A program nobody wrote, of some 300 to 600 lines, with the repetition of real ones."""
    head, function, wrapper, statements = _LANGUAGES[language]
    is_snake = language in ("python", "rust")

    def fill(template: str, **parts: str) -> str:
        noun, verb = random_.choice(_NOUNS), random_.choice(_VERBS)
        adjective = random_.choice(_ADJECTIVES)
        field = f"{adjective}_{noun}" if is_snake else adjective + noun.capitalize()
        text = f"{random_.choice(_VERBS)} the {random_.choice(_ADJECTIVES)} {random_.choice(_NOUNS)}"
        name = noun if is_snake or "self." in template else noun.capitalize()
        values = {"N": name, "V": verb, "F": field, "S": text, "n": str(random_.randrange(2, 500))}
        return template.format(**values, **parts)

    made: list[str] = []
    for _ in range(functions):
        indent = " " * (4 if language in ("python", "go") else 4 if language == "typescript" else 8)
        body = "\n".join(fill(random_.choice(statements)) for _ in range(random_.randrange(3, 9)))
        made.append(fill(function, body="\n".join(indent + line for line in body.split("\n"))))
    text = "\n".join(made)
    if wrapper:
        text = fill(wrapper, functions=text)
    suffix = next(suffix for suffix, name in _SUFFIXES.items() if name == language)
    return Source(
        f"made/up{random_.randrange(10**6)}{suffix}", head.replace("{{", "{").replace("}}", "}") + text, language
    )


def real(random_: random.Random, count: int) -> list[Source]:
    """Some real files of 100 to 1,000 lines: installed Python, and the JavaScript beside npm where there is one."""
    roots = [Path(sysconfig.get_path("purelib"))]
    if npm := shutil.which("npm"):
        roots.append(Path(npm).resolve().parents[1])
    sources: list[Source] = []
    for root in roots:
        files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".js", ".ts") and path.is_file())
        random_.shuffle(files)
        sources.extend(_readable(files, count // len(roots)))
    return sources


def _readable(files: list[Path], count: int) -> Iterator[Source]:
    for path in files:
        if not count:
            return
        if not 4_000 < path.stat().st_size < 60_000:
            continue
        text = path.read_text("utf-8", errors="replace")
        if 100 <= text.count("\n") <= 1_000 and max(map(len, text.split("\n"))) < 500:
            count -= 1
            yield Source(f"{path.parent.name}/{path.name}", text, _SUFFIXES[path.suffix])


def dressed(source: Source, random_: random.Random) -> Source:
    """The same file with other line ends, with tabs, or with characters beyond the basic plane."""
    text = source.text
    match random_.randrange(6):
        case 0:
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        case 1:
            text = text.replace("    ", "\t")
        case 2:
            text = "\n".join(
                line.replace('"', '"\U0001d4b3\U0001f600\u00e9', 1) if random_.random() < 0.3 else line
                for line in text.split("\n")
            )
        case _:
            pass
    return Source(source.path, text, source.language)


def sources(seed: int, count: int) -> list[Source]:
    """A corpus, half of it real where the machine has real files, the rest made up."""
    random_ = random.Random(seed)
    found = real(random_, count // 2)
    languages = list(_LANGUAGES)
    found += [made_up(languages[n % len(languages)], random_) for n in range(count - len(found))]
    return [dressed(source, random_) for source in found]
