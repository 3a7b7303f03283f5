"""The gateway: one OpenAI endpoint before every region (global) or every pod of one (regional)."""
