"""The store on Elasticsearch: one index a collection behind an alias, searched by vector and by word on many
machines."""

from crossmedia.retrieval.elastic.store import ElasticStore

__all__ = ["ElasticStore"]
