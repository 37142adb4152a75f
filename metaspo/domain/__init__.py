"""The project's words as small frozen types, and its errors."""
