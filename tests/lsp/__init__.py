"""The language server, from its pure parts to a running process."""
