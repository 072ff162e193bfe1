"""What webhooks bring, as models: `models.FileMade.model_validate_json(request.body)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...ir.api import Api
from .annotations import Annotations
from .answers import annotated
from .model_document import ModelDocument
from .view import WebhookModel


def webhook_models(api: Api, document: ModelDocument) -> Iterator[WebhookModel]:
    """A type for each payload in JSON; one that has no component of its own is named after the webhook."""
    annotations = Annotations(document)
    methods = Counter(webhook.name.wire for webhook in api.webhooks)
    for webhook in api.webhooks:
        method = f" {webhook.method.lower()}" if methods[webhook.name.wire] > 1 else ""
        for payload in webhook.payloads:
            if payload.kind == "json" and payload.schema is not None:
                model = annotations.answer(payload.schema, f"{' '.join(webhook.name.words)}{method}")
                yield WebhookModel(
                    name=webhook.name.wire, method=webhook.method, type=annotated(model) or "Any"
                )
