"""What other tools deploy with → Service YAMLs, and what is lost on the way, each with its reason.

    a file  ─▶  plain values  ─▶  one reader a format  ─▶  Imported  ─▶  text, losses

Nothing is dropped silently: a reader takes the keys that it knows, and every other one is a loss.
"""
