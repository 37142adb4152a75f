"""Where examples lie beside text files, one file a kind; opening.py is the one way in."""
