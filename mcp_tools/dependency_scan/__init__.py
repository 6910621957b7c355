"""The dependency and manifest review: what a project depends on, and what is known to be wrong with it."""
