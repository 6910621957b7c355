"""Tests of the read-only view of a tree."""
