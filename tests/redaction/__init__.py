"""Redaction: secrets are found, swapped for placeholders and never leave."""
