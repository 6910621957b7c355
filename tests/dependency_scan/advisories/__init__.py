"""Tests of the advisories: records, exports, the index, the audit."""
