"""LlamaIndex's Qdrant store, unmodified. It keeps a node as JSON in the payload's `_node_content`, so an application
that wants its texts judged also keeps them in a metadata field of their own; `_node_content` itself works as well.
"""

from __future__ import annotations

import asyncio
import uuid
from urllib.parse import quote

import pytest
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import MetadataFilter, MetadataFilters, VectorStoreQuery
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import AsyncQdrantClient, QdrantClient, context_headers

from tests.integration import library
from tests.integration.clients import embedding
from tests.integration.clients.comparison import Calls, compare
from tests.integration.clients.flags import FLAG, assert_reranked
from tests.integration.clients.test_python import options, without_collection


class HashEmbedding(BaseEmbedding):
    def _get_text_embedding(self, text: str) -> list[float]:
        return embedding.vector_of(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return embedding.vector_of(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return embedding.vector_of(query)


def node_id(at: int) -> str:
    return str(uuid.UUID(int=at))


def nodes() -> list[TextNode]:
    """The text a second time in the metadata, left out of what the embedding sees."""
    return [
        TextNode(
            id_=node_id(at),
            text=text,
            metadata={"content": text, "odd": at % 2},
            excluded_embed_metadata_keys=["content", "odd"],
            embedding=embedding.vector_of(text),
        )
        for at, text in enumerate(library.TEXTS, start=1)
    ]


def store_of(url: str, qdrant, name: str, **more) -> QdrantVectorStore:
    settings = options(qdrant, **more)
    return QdrantVectorStore(
        name, client=QdrantClient(url=url, **settings), aclient=AsyncQdrantClient(url=url, **settings)
    )


@pytest.fixture(scope="module")
def filled(qdrant) -> str:
    name = qdrant.collection_name("llamaindex")
    without_collection(qdrant, name)
    store_of(qdrant.url, qdrant, name).add(nodes())
    return name


def retriever_of(url: str, qdrant, name: str, **more):
    index = VectorStoreIndex.from_vector_store(store_of(url, qdrant, name, **more), embed_model=HashEmbedding())
    return index.as_retriever(similarity_top_k=5)


def texts_of(found) -> list[str]:
    return [one.node.get_content() for one in found]


def test_ordinary_calls_are_the_same_through_the_proxy(qdrant, proxy):
    name = qdrant.collection_name("llamaindex-calls")

    def run(url: str, calls: Calls) -> None:
        without_collection(qdrant, name)
        store = store_of(url, qdrant, name)
        noting = calls.of(store)
        odd = MetadataFilters(filters=[MetadataFilter(key="odd", value=1)])
        noting.add(nodes())
        index = VectorStoreIndex.from_vector_store(store, embed_model=HashEmbedding())
        for query in ("a red fox", "winter"):
            calls.of(index.as_retriever(similarity_top_k=4)).retrieve(query)
            noting.query(VectorStoreQuery(query_embedding=embedding.vector_of(query), similarity_top_k=3, filters=odd))
        noting.get_nodes([node_id(2), node_id(3)])
        noting.get_nodes(filters=odd)
        asyncio.run(noting.aquery(VectorStoreQuery(query_embedding=embedding.vector_of("winter"), similarity_top_k=3)))
        noting.delete_nodes([node_id(2)])
        noting.get_nodes([node_id(2), node_id(3)])
        noting.clear()

    through, _ = compare("llama-index-vector-stores-qdrant", run, qdrant, proxy)
    assert through.failures == []


def test_an_index_is_built_through_the_proxy(qdrant, proxy):
    name = qdrant.collection_name("llamaindex-built")
    without_collection(qdrant, name)
    storage = StorageContext.from_defaults(vector_store=store_of(proxy.url, qdrant, name))
    index = VectorStoreIndex(nodes(), storage_context=storage, embed_model=HashEmbedding())
    with context_headers.headers(FLAG):
        found = index.as_retriever(similarity_top_k=3).retrieve(library.QUERY)
    assert texts_of(found)[0] == max(library.TEXTS, key=library.words_in_common)


def test_headers_of_the_constructor(qdrant, proxy, filled):
    plain = texts_of(retriever_of(proxy.url, qdrant, filled).retrieve(library.QUERY))
    assert_reranked(texts_of(retriever_of(proxy.url, qdrant, filled, headers=FLAG).retrieve(library.QUERY)), plain)


def test_headers_of_one_call(qdrant, proxy, filled):
    retriever = retriever_of(proxy.url, qdrant, filled)
    for query in (library.QUERY, "red wine and cheese in winter"):
        plain = texts_of(retriever.retrieve(query))
        with context_headers.headers({"X-Rerank": "true", "X-Rerank-Query": quote(query)}):
            assert_reranked(texts_of(retriever.retrieve(query)), plain, query)
            assert_reranked(texts_of(asyncio.run(retriever.aretrieve(query))), plain, query)


def test_the_text_inside_the_node_itself(qdrant, proxy, filled):
    """For a collection whose nodes have no text of their own in the metadata."""
    plain = texts_of(retriever_of(proxy.url, qdrant, filled).retrieve(library.QUERY))
    inside = {**FLAG, "X-Rerank-Field": "_node_content"}
    texts = texts_of(retriever_of(proxy.url, qdrant, filled, headers=inside).retrieve(library.QUERY))
    assert texts != plain
    assert max(map(library.words_in_common, library.TEXTS)) in map(library.words_in_common, texts[:2])


def test_without_a_text_of_its_own_the_vector_order_comes_back(qdrant, proxy):
    """No path reaches into `_node_content`."""
    name = qdrant.collection_name("llamaindex-bare")
    without_collection(qdrant, name)
    bare = [TextNode(text=text, embedding=embedding.vector_of(text)) for text in library.TEXTS]
    store_of(qdrant.url, qdrant, name).add(bare)
    plain = texts_of(retriever_of(proxy.url, qdrant, name).retrieve(library.QUERY))
    for more in ({}, {"X-Rerank-Field": "_node_content.text"}):
        told: list[tuple[str | None, str | None]] = []
        store = store_of(proxy.url, qdrant, name, headers={**FLAG, **more})

        def note(request, call_next):
            response = call_next(request)
            told.append((response.headers.get("x-reranking-used"), response.headers.get("x-reranking-reason")))
            return response

        store.client._client.openapi_client.client.add_middleware(note)
        index = VectorStoreIndex.from_vector_store(store, embed_model=HashEmbedding())
        assert texts_of(index.as_retriever(similarity_top_k=5).retrieve(library.QUERY)) == plain
        assert told[-1] == ("false", "no_text")


def test_a_collection_that_is_always_reranked(qdrant, always, filled):
    plain = texts_of(retriever_of(qdrant.url, qdrant, filled).retrieve(library.QUERY))
    query = {"X-Rerank-Query": quote(library.QUERY)}
    assert_reranked(texts_of(retriever_of(always.url, qdrant, filled, headers=query).retrieve(library.QUERY)), plain)
