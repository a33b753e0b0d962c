from hef_graph.corpus import Context
from hef_graph.evaluation.word_statistics import count_words
from tests.fakes import StubSem

CONTEXTS = [
    Context("c1", "sad", ("My cat died.",), ""),
    Context("c2", "sad", ("The plant died.",), ""),
    Context("c3", "joyful", ("My cat won a prize.",), ""),
]


def test_words_are_counted_by_context() -> None:
    lexicon = count_words(StubSem(), CONTEXTS, k1=1)
    assert lexicon.contexts == 3
    assert {word: entry.document_frequency for word, entry in lexicon.entries.items()} == {"my": 2, "cat": 2, "died": 2}


def test_the_heaviest_words_of_each_context_are_counted() -> None:
    lexicon = count_words(StubSem(), CONTEXTS, k1=1)
    assert {word: entry.heavy for word, entry in lexicon.entries.items() if entry.heavy} == {"died": 2}
