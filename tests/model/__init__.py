"""Tests of the model client: pure parts by values and properties, the client against raw loopback servers."""
