"""The offline checks of the dependency scan."""
