"""Tests of what is written becoming what holds."""
