"""The merged document to the IR: one module per noun; `document` is where it starts."""
