"""One handle for any causal language model in Hugging Face format, and the embedded base."""
