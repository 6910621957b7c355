"""Tests of the readers: every format, every region, every broken file."""
