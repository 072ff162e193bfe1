"""An SDK of any OpenAPI document, with no extension and no platform.yaml."""
