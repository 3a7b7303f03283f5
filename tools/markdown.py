"""What a table of Markdown is written of."""


def cell(text: str) -> str:
    """Keep a text within its cell."""
    return text.replace("|", "\\|")
