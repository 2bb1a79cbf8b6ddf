"""langchain-qdrant, unmodified: the store asks with vectors only, so the query's text goes by header."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore, RetrievalMode
from langchain_qdrant.sparse_embeddings import SparseEmbeddings, SparseVector
from qdrant_client import QdrantClient, context_headers, models

from tests.integration import library
from tests.integration.clients import embedding
from tests.integration.clients.comparison import Calls, compare
from tests.integration.clients.flags import FLAG, assert_reranked
from tests.integration.clients.test_python import options, without_collection


class HashEmbeddings(Embeddings):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [embedding.vector_of(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return embedding.vector_of(text)


class WordEmbeddings(SparseEmbeddings):
    """One dimension for each word of the library."""

    words = sorted({word for text in library.TEXTS for word in text.split()})

    def embed_documents(self, texts: list[str]) -> list[SparseVector]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> SparseVector:
        places = sorted({self.words.index(word) for word in text.split() if word in self.words})
        return SparseVector(indices=places, values=[1.0] * len(places))


def store_of(url: str, qdrant, name: str, **more) -> QdrantVectorStore:
    client = QdrantClient(url=url, **options(qdrant, **more))
    return QdrantVectorStore(
        client,
        name,
        embedding=HashEmbeddings(),
        sparse_embedding=WordEmbeddings(),
        retrieval_mode=RetrievalMode.HYBRID if name.endswith("hybrid") else RetrievalMode.DENSE,
    )


def make(url: str, qdrant, name: str) -> None:
    without_collection(qdrant, name)
    vectors = models.VectorParams(size=embedding.SIZE, distance=models.Distance.COSINE)
    sparse = {QdrantVectorStore.SPARSE_VECTOR_NAME: models.SparseVectorParams()}
    client = QdrantClient(url=url, **options(qdrant))
    client.create_collection(name, vectors_config=vectors, sparse_vectors_config=sparse)


def fill(store, calls: Calls | None = None) -> None:
    documents = [Document(text, metadata={"n": at, "odd": at % 2 == 1}) for at, text in enumerate(library.TEXTS)]
    (calls.of(store) if calls else store).add_documents(documents, ids=list(range(1, len(documents) + 1)))


@pytest.fixture(scope="module")
def filled(qdrant) -> str:
    name = qdrant.collection_name("langchain")
    make(qdrant.url, qdrant, name)
    fill(store_of(qdrant.url, qdrant, name))
    return name


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_ordinary_calls_are_the_same_through_the_proxy(qdrant, proxy, mode):
    name = qdrant.collection_name(f"langchain-calls-{mode}")
    name = name if name.endswith(mode) else f"{name}-{mode}"

    def run(url: str, calls: Calls) -> None:
        make(url, qdrant, name)
        store = store_of(url, qdrant, name)
        fill(store, calls)
        noting = calls.of(store)
        odd = models.Filter(must=[models.FieldCondition(key="metadata.odd", match=models.MatchValue(value=True))])
        noting.similarity_search("a red fox", k=3)
        noting.similarity_search("a red fox", k=3, offset=2, filter=odd)
        noting.similarity_search_with_score("a red fox", k=4, score_threshold=-1)
        if mode == "dense":
            noting.similarity_search_by_vector(embedding.vector_of("the fox"), k=3)
            noting.similarity_search_with_score_by_vector(embedding.vector_of("the fox"), k=3)
            noting.similarity_search_with_relevance_scores("a red fox", k=3)
            noting.max_marginal_relevance_search("a red fox", k=3, fetch_k=8)
        noting.get_by_ids([2, 3])
        calls.of(store.as_retriever(search_kwargs={"k": 3})).invoke("winter")
        asyncio.run(calls.of(store).asimilarity_search("winter", k=3))
        noting.delete([2])
        noting.get_by_ids([2, 3])

    through, _ = compare(f"langchain-qdrant ({mode})", run, qdrant, proxy)
    assert through.failures == []


def texts_of(documents: list[Document]) -> list[str]:
    return [document.page_content for document in documents]


def test_headers_of_the_constructor(qdrant, proxy, filled):
    plain = texts_of(store_of(proxy.url, qdrant, filled).similarity_search(library.QUERY, k=5))
    flagged = store_of(proxy.url, qdrant, filled, headers=FLAG)
    assert_reranked(texts_of(flagged.similarity_search(library.QUERY, k=5)), plain)
    scored = flagged.similarity_search_with_score(library.QUERY, k=5)
    assert [score for _, score in scored] == sorted((score for _, score in scored), reverse=True)
    assert all(0 < score < 1 for _, score in scored)


def test_headers_of_one_call_of_a_retriever(qdrant, proxy, filled):
    store = store_of(proxy.url, qdrant, filled)
    retriever = store.as_retriever(search_kwargs={"k": 5})
    for query in (library.QUERY, "red wine and cheese in winter"):
        plain = texts_of(retriever.invoke(query))
        with context_headers.headers({"X-Rerank": "true", "X-Rerank-Query": quote(query)}):
            assert_reranked(texts_of(retriever.invoke(query)), plain, query)
            assert_reranked(texts_of(asyncio.run(retriever.ainvoke(query))), plain, query)


def test_a_collection_that_is_always_reranked(qdrant, always, filled):
    """The store sends no text, so the header still has to; the flag is the configuration's."""
    plain = texts_of(store_of(qdrant.url, qdrant, filled).similarity_search(library.QUERY, k=5))
    store = store_of(always.url, qdrant, filled, headers={"X-Rerank-Query": quote(library.QUERY)})
    assert_reranked(texts_of(store.similarity_search(library.QUERY, k=5)), plain)
    assert texts_of(store_of(always.url, qdrant, filled).similarity_search(library.QUERY, k=5)) == plain
