"""The command line: parse, call runs, print.

Files of commands import what does the work inside the commands: `--help`, `--version` and the shell's
completion load every file of commands, and should cost nobody a second.
"""
