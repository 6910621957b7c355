"""The protocol's own conformance suites against the server."""
