"""Endpoints: models that run in supervised worker processes and answer by name."""
