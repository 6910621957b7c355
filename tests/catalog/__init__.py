"""The table of tools, driven in memory and on small trees."""
