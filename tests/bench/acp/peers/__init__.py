"""Programs that stand beside the agent in a measurement."""
