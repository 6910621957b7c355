"""Write `report.schema.json` anew."""

import json
from pathlib import Path

from mcp_tools.output.document import ReportDocument

SCHEMA = Path(__file__).parent / "report.schema.json"


def schema_text() -> str:
    schema = ReportDocument.model_json_schema(mode="serialization")
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
