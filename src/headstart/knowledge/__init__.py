"""Documents made searchable: load, chunk, embed, index, search."""
