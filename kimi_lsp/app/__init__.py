"""The composition root: from paths, environment and flags to a project, its settings and an Auditor. No face in it."""
