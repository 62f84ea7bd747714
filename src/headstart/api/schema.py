"""`python -m headstart.api.schema` prints the schema that the console's client is made of."""

from __future__ import annotations

import json
import sys

from headstart.api.application import create_api

if __name__ == "__main__":
    json.dump(create_api().openapi(), sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")
