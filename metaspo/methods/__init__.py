"""How candidates are proposed and selected: the methods as data, proposers, pure rules."""
