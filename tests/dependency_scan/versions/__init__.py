"""Tests of version orders, ranges and requirements."""
