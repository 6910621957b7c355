"""Looking at a project: files, lines, matches, and what is never shown."""
