"""Thin HTTP routes, one file per resource, named as OpenAI names it."""
