"""Headstart: a private, self-hosted assistant that keeps what it needs to learn."""

__version__ = "0.1.0"
