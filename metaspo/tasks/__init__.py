"""A task: its examples, how a question is put, how an answer is read and scored."""
