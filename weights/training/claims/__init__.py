"""Measures behind docs/claims.md."""
