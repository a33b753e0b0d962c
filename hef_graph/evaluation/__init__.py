"""Measures: how well a small empathetic model (SEM) reads and replies, on labelled conversations."""
