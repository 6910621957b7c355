"""Servers that stand in for a model endpoint: a faithful fake Kimi, and a real llama.cpp with a tiny random model."""
