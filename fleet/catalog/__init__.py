"""Facts that decisions rest on: models, GPU instance types, prices."""
