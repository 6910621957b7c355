"""One report with every hard case, in every format, whole."""

# ruff: noqa: E501 - a snapshot's lines are as long as the output's

from inline_snapshot import snapshot

from mcp_tools.output import Format, render
from tests.output.samples import HARD, context


def test_the_text_form() -> None:
    assert render(HARD, Format.TEXT, context()) == snapshot("""\
bom.txt:1:1: warning[doc-drift] The first word is wrong.
  1 | first
    | ^^^^^

bom.txt:3:1: warning[doc-drift] The end is wrong.
  3 |
    | ^
  = confidence: low

empty.md: warning[no-tabs] Nothing in it.

gone\\xff/x y.md:4:2: note[no-tabs] Not there.

old mac.txt:2:1: warning[doc-drift] Line two is wrong.
  2 | two
    | ^^^

src/db.py:2:16: error[sql-injection] The query `'𐐀é' + q` is built from a string.
  2 |     return db.run('𐐀é' + q)  # 名前
    |                   ^^^^^^^^
  = confidence: medium
  = evidence: db.run('𐐀é' + q)
  = see src/db.py:1:14: q comes from here
  = human decision required (customer data)

INCOMPLETE: not all was audited; no findings there means nothing.
6 findings (1 error, 4 warnings, 1 note); 5 files read; 2 suppressed.
Not done:
  INCOMPLETE endpoint-gone: the endpoint went away
  binary-file x2: not read: binary: icon.png, logo.png
cost: $0.0123 of $1.00
""")


def test_the_json_form() -> None:
    assert render(HARD, Format.JSON, context()) == snapshot("""\
{
  "version": 1,
  "columnKind": "unicodeCodePoints",
  "tool": {
    "name": "kimi-lsp",
    "version": "0.1.0",
    "uri": "https://example.org/kimi-lsp"
  },
  "summary": {
    "complete": false,
    "filesRead": 5,
    "findings": {"error": 1, "warning": 4, "note": 1},
    "suppressed": 2
  },
  "facts": [
    {"label": "cost", "value": "$0.0123 of $1.00"}
  ],
  "rules": [
    {"id": "doc-drift", "summary": "The docs say what is not so.", "level": "warning", "lane": "docs", "tags": [], "helpUri": "https://example.org/kimi-lsp/docs/rules/doc-drift.md"},
    {"id": "no-tabs", "summary": "", "level": "note", "lane": "style", "tags": [], "helpUri": "https://example.org/kimi-lsp/docs/rules/no-tabs.md"},
    {"id": "sql-injection", "summary": "SQL is built from strings.", "level": "error", "lane": "security", "tags": ["CWE-89"], "helpUri": "https://example.org/kimi-lsp/docs/rules/sql-injection.md"}
  ],
  "findings": [
    {"ruleId": "doc-drift", "level": "warning", "message": "The first word is wrong.", "location": {"path": "bom.txt", "uri": "bom.txt", "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 6}}, "confidence": "high", "evidence": "", "fingerprint": "aa0b97125a967434f344c76b48450b46", "related": [], "origin": {"tool": "kimi-lsp", "model": null, "trailId": null}, "suppressed": null, "protectedArea": null},
    {"ruleId": "doc-drift", "level": "warning", "message": "The end is wrong.", "location": {"path": "bom.txt", "uri": "bom.txt", "region": {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 1}}, "confidence": "low", "evidence": "", "fingerprint": "b3c796c0e68a645673b7041f28ea042c", "related": [], "origin": {"tool": "kimi-lsp", "model": null, "trailId": null}, "suppressed": null, "protectedArea": null},
    {"ruleId": "no-tabs", "level": "warning", "message": "Nothing in it.", "location": {"path": "empty.md", "uri": "empty.md", "region": null}, "confidence": "high", "evidence": "", "fingerprint": "972ee745aa5caefeb994e02977591dc2", "related": [], "origin": {"tool": "kimi-lsp", "model": null, "trailId": null}, "suppressed": null, "protectedArea": null},
    {"ruleId": "no-tabs", "level": "note", "message": "Not there.", "location": {"path": "gone\\\\xff/x y.md", "uri": "gone%FF/x%20y.md", "region": {"startLine": 4, "startColumn": 2, "endLine": 4, "endColumn": 5}}, "confidence": "high", "evidence": "", "fingerprint": "2bedba37ffe6c0ba6597563d4b2f556d", "related": [], "origin": {"tool": "kimi-lsp", "model": null, "trailId": null}, "suppressed": null, "protectedArea": null},
    {"ruleId": "doc-drift", "level": "warning", "message": "Line two is wrong.", "location": {"path": "old mac.txt", "uri": "old%20mac.txt", "region": {"startLine": 2, "startColumn": 1, "endLine": 3, "endColumn": 1}}, "confidence": "high", "evidence": "", "fingerprint": "f5c6b197614f76db16fe69055ba738d1", "related": [], "origin": {"tool": "kimi-lsp", "model": null, "trailId": null}, "suppressed": null, "protectedArea": null},
    {"ruleId": "sql-injection", "level": "error", "message": "The query `'𐐀é' + q` is built from a string.", "location": {"path": "src/db.py", "uri": "src/db.py", "region": {"startLine": 2, "startColumn": 16, "endLine": 2, "endColumn": 24}}, "confidence": "medium", "evidence": "db.run('𐐀é' + q)", "fingerprint": "0123456789abcdef0123456789abcdef", "related": [{"message": "q comes from here", "location": {"path": "src/db.py", "uri": "src/db.py", "region": {"startLine": 1, "startColumn": 14, "endLine": 1, "endColumn": 15}}}], "origin": {"tool": "security", "model": "kimi-k2.6", "trailId": "trail-7"}, "suppressed": null, "protectedArea": "customer data"},
    {"ruleId": "no-tabs", "level": "note", "message": "Known.", "location": {"path": "latin.txt", "uri": "latin.txt", "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 5}}, "confidence": "medium", "evidence": "", "fingerprint": "5971f33a5738ecaa7cf90dbaa63324ab", "related": [], "origin": {"tool": "kimi-lsp", "model": null, "trailId": null}, "suppressed": "dismissed: not ours", "protectedArea": null},
    {"ruleId": "no-tabs", "level": "note", "message": "Marked.", "location": {"path": "latin.txt", "uri": "latin.txt", "region": {"startLine": 1, "startColumn": 6, "endLine": 1, "endColumn": 8}}, "confidence": "medium", "evidence": "", "fingerprint": "e9d1382ac9bdd59897a909d5351cdd8f", "related": [], "origin": {"tool": "kimi-lsp", "model": null, "trailId": null}, "suppressed": "marked in line 1", "protectedArea": null}
  ],
  "notices": [
    {"code": "endpoint-gone", "message": "the endpoint went away", "path": null, "uri": null, "incomplete": true},
    {"code": "binary-file", "message": "not read: binary", "path": "icon.png", "uri": "icon.png", "incomplete": false},
    {"code": "binary-file", "message": "not read: binary", "path": "logo.png", "uri": "logo.png", "incomplete": false}
  ]
}
""")


def test_the_sarif_form() -> None:
    assert render(HARD, Format.SARIF, context()) == snapshot("""\
{
  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "tool": {
        "driver": {"name": "kimi-lsp", "version": "0.1.0", "semanticVersion": "0.1.0", "informationUri": "https://example.org/kimi-lsp", "rules": [{"id": "doc-drift", "name": "DocDrift", "shortDescription": {"text": "The docs say what is not so."}, "fullDescription": {"text": "The docs say what is not so."}, "help": {"text": "The docs say what is not so.\\n\\nTopic: docs. More: https://example.org/kimi-lsp/docs/rules/doc-drift.md", "markdown": "The docs say what is not so.\\n\\nTopic: docs. [The rule's page](https://example.org/kimi-lsp/docs/rules/doc-drift.md) has examples and what to do."}, "helpUri": "https://example.org/kimi-lsp/docs/rules/doc-drift.md", "defaultConfiguration": {"level": "warning"}, "properties": {"precision": "high", "problem.severity": "warning", "tags": ["docs"]}}, {"id": "no-tabs", "name": "NoTabs", "shortDescription": {"text": "no-tabs"}, "fullDescription": {"text": "no-tabs"}, "help": {"text": "no-tabs\\n\\nTopic: style. More: https://example.org/kimi-lsp/docs/rules/no-tabs.md", "markdown": "no-tabs\\n\\nTopic: style. [The rule's page](https://example.org/kimi-lsp/docs/rules/no-tabs.md) has examples and what to do."}, "helpUri": "https://example.org/kimi-lsp/docs/rules/no-tabs.md", "defaultConfiguration": {"level": "note"}, "properties": {"precision": "medium", "problem.severity": "recommendation", "tags": ["style"]}}, {"id": "sql-injection", "name": "SqlInjection", "shortDescription": {"text": "SQL is built from strings."}, "fullDescription": {"text": "SQL is built from strings."}, "help": {"text": "SQL is built from strings.\\n\\nTopic: security. More: https://example.org/kimi-lsp/docs/rules/sql-injection.md", "markdown": "SQL is built from strings.\\n\\nTopic: security. [The rule's page](https://example.org/kimi-lsp/docs/rules/sql-injection.md) has examples and what to do."}, "helpUri": "https://example.org/kimi-lsp/docs/rules/sql-injection.md", "defaultConfiguration": {"level": "error"}, "properties": {"precision": "medium", "problem.severity": "error", "tags": ["security", "external/cwe/cwe-089"], "security-severity": "8.0"}}]}
      },
      "automationDetails": {
        "id": "kimi-lsp/"
      },
      "invocations": [
        {"executionSuccessful": false, "toolExecutionNotifications": [{"descriptor": {"id": "endpoint-gone"}, "level": "error", "message": {"text": "the endpoint went away"}}, {"descriptor": {"id": "binary-file"}, "level": "note", "message": {"text": "not read: binary"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "icon.png", "uriBaseId": "%SRCROOT%"}}}]}, {"descriptor": {"id": "binary-file"}, "level": "note", "message": {"text": "not read: binary"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "logo.png", "uriBaseId": "%SRCROOT%"}}}]}]}
      ],
      "columnKind": "utf16CodeUnits",
      "newlineSequences": [
        "\\r\\n",
        "\\n",
        "\\r"
      ],
      "results": [
        {"ruleId": "doc-drift", "ruleIndex": 0, "level": "warning", "message": {"text": "The first word is wrong."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "bom.txt", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 6}}}], "partialFingerprints": {"primaryLocationLineHash": "3abdf555983881c6:1", "kimiFingerprint/v1": "aa0b97125a967434f344c76b48450b46"}, "properties": {"confidence": "high", "tool": "kimi-lsp"}},
        {"ruleId": "doc-drift", "ruleIndex": 0, "level": "warning", "message": {"text": "The end is wrong."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "bom.txt", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 3, "startColumn": 1, "endLine": 3, "endColumn": 1}}}], "partialFingerprints": {"primaryLocationLineHash": "c129715d7a2bc9a3:1", "kimiFingerprint/v1": "b3c796c0e68a645673b7041f28ea042c"}, "properties": {"confidence": "low", "tool": "kimi-lsp"}},
        {"ruleId": "no-tabs", "ruleIndex": 1, "level": "warning", "message": {"text": "Nothing in it."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "empty.md", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}}}], "partialFingerprints": {"primaryLocationLineHash": "c129715d7a2bc9a3:1", "kimiFingerprint/v1": "972ee745aa5caefeb994e02977591dc2"}, "properties": {"confidence": "high", "tool": "kimi-lsp"}},
        {"ruleId": "no-tabs", "ruleIndex": 1, "level": "note", "message": {"text": "Not there."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "gone%FF/x%20y.md", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 4, "startColumn": 2, "endLine": 4, "endColumn": 5}}}], "partialFingerprints": {"primaryLocationLineHash": "22735f7a1c9b7a75:1", "kimiFingerprint/v1": "2bedba37ffe6c0ba6597563d4b2f556d"}, "properties": {"confidence": "high", "tool": "kimi-lsp"}},
        {"ruleId": "doc-drift", "ruleIndex": 0, "level": "warning", "message": {"text": "Line two is wrong."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "old%20mac.txt", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 2, "startColumn": 1, "endLine": 3, "endColumn": 1}}}], "partialFingerprints": {"primaryLocationLineHash": "9a7f259d854625cb:1", "kimiFingerprint/v1": "f5c6b197614f76db16fe69055ba738d1"}, "properties": {"confidence": "high", "tool": "kimi-lsp"}},
        {"ruleId": "sql-injection", "ruleIndex": 2, "level": "error", "message": {"text": "The query `'𐐀é' + q` is built from a string.\\nhuman decision required (customer data)\\nSee also: [src/db.py:1:14](1)"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/db.py", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 2, "startColumn": 16, "endLine": 2, "endColumn": 25}}}], "partialFingerprints": {"primaryLocationLineHash": "929f2768c2d3ba4c:1", "kimiFingerprint/v1": "0123456789abcdef0123456789abcdef"}, "relatedLocations": [{"id": 1, "message": {"text": "q comes from here"}, "physicalLocation": {"artifactLocation": {"uri": "src/db.py", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 1, "startColumn": 14, "endLine": 1, "endColumn": 15}}}], "properties": {"confidence": "medium", "tool": "security", "evidence": "db.run('𐐀é' + q)", "model": "kimi-k2.6", "trailId": "trail-7", "protectedArea": "customer data"}},
        {"ruleId": "no-tabs", "ruleIndex": 1, "level": "note", "message": {"text": "Known."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "latin.txt", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 5}}}], "partialFingerprints": {"primaryLocationLineHash": "3e80c50708f31d6c:1", "kimiFingerprint/v1": "5971f33a5738ecaa7cf90dbaa63324ab"}, "suppressions": [{"kind": "external", "status": "accepted", "justification": "dismissed: not ours"}], "properties": {"confidence": "medium", "tool": "kimi-lsp"}},
        {"ruleId": "no-tabs", "ruleIndex": 1, "level": "note", "message": {"text": "Marked."}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "latin.txt", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 1, "startColumn": 6, "endLine": 1, "endColumn": 8}}}], "partialFingerprints": {"primaryLocationLineHash": "3e80c50708f31d6c:1", "kimiFingerprint/v1": "e9d1382ac9bdd59897a909d5351cdd8f"}, "suppressions": [{"kind": "inSource", "status": "accepted", "justification": "marked in line 1"}], "properties": {"confidence": "medium", "tool": "kimi-lsp"}}
      ],
      "properties": {
        "filesRead": 5,
        "facts": [{"label": "cost", "value": "$0.0123 of $1.00"}]
      }
    }
  ]
}
""")


def test_the_markdown_form() -> None:
    assert render(HARD, Format.MARKDOWN, context()) == snapshot("""\
## kimi-lsp report

**INCOMPLETE: not all was audited; no findings there means nothing.**

6 findings (1 error, 4 warnings, 1 note); 5 files read; 2 suppressed.

| Errors | Warnings | Notes | Suppressed | Files read |
| ---: | ---: | ---: | ---: | ---: |
| 1 | 4 | 1 | 2 | 5 |

### [bom.txt](bom.txt)

- [L1](bom.txt#L1) **warning** [doc-drift](https://example.org/kimi-lsp/docs/rules/doc-drift.md): The first word is wrong.
- [L3](bom.txt#L3) **warning** [doc-drift](https://example.org/kimi-lsp/docs/rules/doc-drift.md): The end is wrong.
  - confidence: low

### [empty.md](empty.md)

- [file](empty.md) **warning** [no-tabs](https://example.org/kimi-lsp/docs/rules/no-tabs.md): Nothing in it.

### [gone\\\\xff/x y.md](gone%FF/x%20y.md)

- [L4](gone%FF/x%20y.md#L4) **note** [no-tabs](https://example.org/kimi-lsp/docs/rules/no-tabs.md): Not there.

### [old mac.txt](old%20mac.txt)

- [L2](old%20mac.txt#L2) **warning** [doc-drift](https://example.org/kimi-lsp/docs/rules/doc-drift.md): Line two is wrong.

### [src/db.py](src/db.py)

- [L2](src/db.py#L2) **error** [sql-injection](https://example.org/kimi-lsp/docs/rules/sql-injection.md): The query \\`'𐐀é' + q\\` is built from a string.
  - **human decision required (customer data)**
  - confidence: medium
  - see [src/db.py:1](src/db.py#L1): q comes from here
  - evidence:
    ```
    db.run('𐐀é' + q)
    ```

<details><summary>Not done: 3 notices</summary>

- **INCOMPLETE** endpoint-gone (1): the endpoint went away
- binary-file (2): not read: binary (icon.png, logo.png)

</details>

- cost: \\$0.0123 of \\$1.00
""")


def test_the_rdjson_form() -> None:
    assert render(HARD, Format.RDJSON, context()) == snapshot("""\
{
  "source": {
    "name": "kimi-lsp",
    "url": "https://example.org/kimi-lsp"
  },
  "diagnostics": [
    {"message": "The first word is wrong.", "location": {"path": "bom.txt", "range": {"start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 6}}}, "severity": "WARNING", "code": {"value": "doc-drift", "url": "https://example.org/kimi-lsp/docs/rules/doc-drift.md"}},
    {"message": "The end is wrong.", "location": {"path": "bom.txt", "range": {"start": {"line": 3, "column": 1}, "end": {"line": 3, "column": 1}}}, "severity": "WARNING", "code": {"value": "doc-drift", "url": "https://example.org/kimi-lsp/docs/rules/doc-drift.md"}},
    {"message": "Nothing in it.", "location": {"path": "empty.md"}, "severity": "WARNING", "code": {"value": "no-tabs", "url": "https://example.org/kimi-lsp/docs/rules/no-tabs.md"}},
    {"message": "Not there.", "location": {"path": "gone\\\\xff/x y.md", "range": {"start": {"line": 4, "column": 2}, "end": {"line": 4, "column": 5}}}, "severity": "INFO", "code": {"value": "no-tabs", "url": "https://example.org/kimi-lsp/docs/rules/no-tabs.md"}},
    {"message": "Line two is wrong.", "location": {"path": "old mac.txt", "range": {"start": {"line": 2, "column": 1}, "end": {"line": 3, "column": 1}}}, "severity": "WARNING", "code": {"value": "doc-drift", "url": "https://example.org/kimi-lsp/docs/rules/doc-drift.md"}},
    {"message": "The query `'𐐀é' + q` is built from a string.\\nsee src/db.py:1:14: q comes from here\\nhuman decision required (customer data)", "location": {"path": "src/db.py", "range": {"start": {"line": 2, "column": 16}, "end": {"line": 2, "column": 28}}}, "severity": "ERROR", "code": {"value": "sql-injection", "url": "https://example.org/kimi-lsp/docs/rules/sql-injection.md"}}
  ]
}
""")


def test_the_gitlab_form() -> None:
    assert render(HARD, Format.GITLAB, context()) == snapshot("""\
[
  {"description": "The first word is wrong.", "check_name": "doc-drift", "fingerprint": "aa0b97125a967434f344c76b48450b46", "severity": "minor", "location": {"path": "bom.txt", "lines": {"begin": 1, "end": 1}}},
  {"description": "The end is wrong.", "check_name": "doc-drift", "fingerprint": "b3c796c0e68a645673b7041f28ea042c", "severity": "minor", "location": {"path": "bom.txt", "lines": {"begin": 3, "end": 3}}},
  {"description": "Nothing in it.", "check_name": "no-tabs", "fingerprint": "972ee745aa5caefeb994e02977591dc2", "severity": "minor", "location": {"path": "empty.md", "lines": {"begin": 1, "end": 1}}},
  {"description": "Not there.", "check_name": "no-tabs", "fingerprint": "2bedba37ffe6c0ba6597563d4b2f556d", "severity": "info", "location": {"path": "gone\\\\xff/x y.md", "lines": {"begin": 4, "end": 4}}},
  {"description": "Line two is wrong.", "check_name": "doc-drift", "fingerprint": "f5c6b197614f76db16fe69055ba738d1", "severity": "minor", "location": {"path": "old mac.txt", "lines": {"begin": 2, "end": 2}}},
  {"description": "The query `'𐐀é' + q` is built from a string. [human decision required (customer data)]", "check_name": "sql-injection", "fingerprint": "0123456789abcdef0123456789abcdef", "severity": "critical", "location": {"path": "src/db.py", "lines": {"begin": 2, "end": 2}}}
]
""")
