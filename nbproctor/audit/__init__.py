"""The tests of an assignment on trial, by right and wrong solutions."""
