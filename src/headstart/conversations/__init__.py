"""Chats that persist."""
