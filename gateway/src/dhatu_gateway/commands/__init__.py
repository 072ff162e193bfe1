"""Commands beside `serve`: what they do, and how they speak to people."""
