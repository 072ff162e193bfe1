"""Which endpoints are well: asked by checks, and judged by how they answer."""
