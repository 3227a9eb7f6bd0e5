"""Files, long jobs, and the pure rules of words: segments and rendering."""
