"""A SEM small enough to train in a test, made-up conversations, and a made-up folder in MiniLM's format."""

import string
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from torch import Tensor

from hef_graph.corpus import Conversation, contexts_of
from hef_graph.sem.config import SemConfig
from hef_graph.sem.dataset import EmotionExample, ReplyExample, emotion_examples, reply_examples
from hef_graph.sem.inference import TransformerSem
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.tokenization import SPECIAL_TOKENS, DialogueTokenizer, EncodedDialogue
from hef_graph.sem.training import TrainingConfig
from hef_graph.types import Turn

LABELS = ("afraid", "angry", "joyful", "sad")

_TALKS = (
    ("afraid", "a wolf ran at me", "oh no , are you safe ?", "yes , it ran away"),
    ("afraid", "the storm was loud", "that is scary !"),
    ("afraid", "the night was dark", "i hope you are safe now"),
    ("angry", "he broke my window", "who did that ?", "my rude friend", "he should pay for it"),
    ("angry", "they stole my bike", "my bike was stolen too last year"),
    ("angry", "she lied about it", "that is not fair"),
    ("joyful", "we won the game", "wow , well done !", "yes , it was fun"),
    ("joyful", "my sister has a baby", "how sweet !", "i love the baby", "enjoy it !"),
    ("joyful", "the sun is out", "that is lovely weather"),
    ("sad", "my dog died", "i am so sorry", "he was a good dog", "you will miss him"),
    ("sad", "my friend moved away", "do you still talk ?"),
    ("sad", "i lost the ring", "i am sorry , was it old ?"),
)
CONVERSATIONS = tuple(
    Conversation(f"made-up-{number}", emotion, f"about {utterances[0]}", utterances)
    for number, (emotion, *texts) in enumerate(_TALKS)
    for utterances in [tuple(texts)]
)

_CHARACTERS = string.ascii_lowercase + string.digits + string.punctuation
_WORDS = sorted({word for talk in _TALKS for text in talk[1:] for word in text.split() if len(word) > 1})
PIECES = (*_CHARACTERS, *(f"##{character}" for character in string.ascii_lowercase + string.digits), *_WORDS)
VOCABULARY = (*SPECIAL_TOKENS, *PIECES)

CONFIG = SemConfig(
    vocab_size=len(VOCABULARY),
    labels=LABELS,
    hidden_size=16,
    feed_forward_size=32,
    attention_heads=2,
    encoder_layers=2,
    decoder_layers=1,
    decoder_vocab_size=len(VOCABULARY),
    max_tokens=24,
    max_reply_tokens=12,
    dropout=0.0,
)

build_recipe_config = partial(
    SemConfig,
    hidden_size=CONFIG.hidden_size,
    feed_forward_size=CONFIG.feed_forward_size,
    attention_heads=CONFIG.attention_heads,
    encoder_layers=CONFIG.encoder_layers,
    decoder_layers=CONFIG.decoder_layers,
    decoder_vocab_size=100,
    max_tokens=CONFIG.max_tokens,
    max_reply_tokens=CONFIG.max_reply_tokens,
)
"""Stands for `SemConfig` in the recipe: the shape that fits `write_minilm`."""

FAST = TrainingConfig(
    epochs=2, learning_rate=5e-3, new_learning_rate=5e-3, batch_size=4, label_smoothing=0.0, precision="fp32"
)

MINILM_VOCABULARY = ("[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##\u0629", "\u4e2d", *PIECES)
"""Other special tokens than ours, and two pieces that are not English."""


def build_model(config: SemConfig = CONFIG, *, seed: int = 0) -> EmpatheticModel:
    """An untrained model, ready to read; its weights are large enough for inputs to matter."""
    torch.manual_seed(seed)
    model = EmpatheticModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(10)
    return model.eval()


def build_tokenizer(*, max_tokens: int = CONFIG.max_tokens) -> DialogueTokenizer:
    """The tokenizer of the made-up vocabulary."""
    return DialogueTokenizer(VOCABULARY, max_tokens=max_tokens, decoder_vocab_size=len(VOCABULARY))


def build_sem(config: SemConfig = CONFIG) -> TransformerSem:
    """An untrained SEM on the CPU."""
    return TransformerSem("tiny", build_model(config), build_tokenizer(), torch.device("cpu"))


def encode(*texts: str, max_tokens: int = CONFIG.max_tokens) -> EncodedDialogue:
    """Texts that alternate from the speaker, encoded."""
    turns = [Turn("listener" if index % 2 else "speaker", text) for index, text in enumerate(texts)]
    return build_tokenizer(max_tokens=max_tokens).encode(turns)


def build_emotion_examples() -> list[EmotionExample]:
    """All contexts of the made-up conversations."""
    return emotion_examples(contexts_of(CONVERSATIONS), build_tokenizer(), LABELS)


def build_reply_examples() -> list[ReplyExample]:
    """All utterances after the first of the made-up conversations."""
    return reply_examples(CONVERSATIONS, build_tokenizer(), LABELS, max_tokens=CONFIG.max_reply_tokens)


def write_minilm(folder: Path, config: SemConfig = CONFIG) -> dict[str, Tensor]:
    """Write random weights and a tokenizer as MiniLM's folder holds them; returns the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = {piece: index for index, piece in enumerate(MINILM_VOCABULARY)}
    tokenizer = Tokenizer(WordPiece(pieces, unk_token="[UNK]"))  # noqa: S106  a piece, not a password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4)
    tokenizer.save(str(folder / "tokenizer.json"))
    random = torch.Generator().manual_seed(7)
    weights = {name: torch.randn(shape, generator=random) for name, shape in _minilm_shapes(config).items()}
    save_file(weights, folder / "model.safetensors")
    return weights


def _minilm_shapes(config: SemConfig) -> dict[str, tuple[int, ...]]:
    size, inner = config.hidden_size, config.feed_forward_size
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(MINILM_VOCABULARY), size),
        "embeddings.position_embeddings.weight": (config.max_tokens + 8, size),
        "embeddings.token_type_embeddings.weight": (2, size),
        "embeddings.LayerNorm.weight": (size,),
        "embeddings.LayerNorm.bias": (size,),
        "pooler.dense.weight": (size, size),
    }
    linear = {
        "attention.self.query": (size, size),
        "attention.self.key": (size, size),
        "attention.self.value": (size, size),
        "attention.output.dense": (size, size),
        "intermediate.dense": (inner, size),
        "output.dense": (size, inner),
    }
    for layer in range(config.encoder_layers):
        for name, shape in linear.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{layer}.{name}.weight"] = (size,)
            shapes[f"encoder.layer.{layer}.{name}.bias"] = (size,)
    return shapes


def without_decoder() -> SemConfig:
    """The shape of a SEM that only reads."""
    return replace(CONFIG, decoder_layers=0)
