"""Many runs: tables of methods x settings x seeds, generalization, adaptation."""
