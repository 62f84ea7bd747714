"""Grammars that an engine's output must follow."""
