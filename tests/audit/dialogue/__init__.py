"""Tests of questions to the auditor."""
