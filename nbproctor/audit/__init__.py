"""Audit of an assignment's tests, by right and wrong solutions."""
