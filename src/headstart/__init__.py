"""Headstart: a private, self-hosted assistant that keeps what it needs to learn."""
