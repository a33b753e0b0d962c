"""A study: systems answer the same cases, and their answers are scored, compared and told.

cases → systems → runner (with its cache) → answers → scores → tables → report
"""
