"""Guarding files and data sets: kernel, engines, ledger, resume."""
