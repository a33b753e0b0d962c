"""Chat models: any large language model (LLM) as one that settles the emotion first, and the embedded listener."""
