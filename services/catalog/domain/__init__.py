"""Catalog's rules: who may sell, what, and where it is seen."""
