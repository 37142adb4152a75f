"""Where results are kept: prompts as versions in LangSmith, in MLflow or in a folder."""
