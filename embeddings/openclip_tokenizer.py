"""Convert OpenCLIP's tokenizers to the `tokenizers` package, so that serving needs neither OpenCLIP nor PyTorch."""

from __future__ import annotations

from typing import Any, Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from crossmedia.embeddings.picture_recipe import UnknownRecipe
from crossmedia.embeddings.text_recipe import Cleaning, TextRecipe

WORD_PATTERN: Final = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
"""What CLIP takes for a word before it is cut into byte pairs (Radford et al. 2021, `simple_tokenizer.py`)."""
CLEANING: Final[dict[str, Cleaning]] = {
    "_clean_lower": "lower",
    "_clean_whitespace": "whitespace",
    "_clean_canonicalize": "canonicalize",
}


def convert(tokenizer: Any) -> tuple[Tokenizer, TextRecipe]:
    """An OpenCLIP tokenizer → the same as a `tokenizers.Tokenizer`, and the recipe around it.

    Knows `SimpleTokenizer` (CLIP's byte pairs) and `HFTokenizer`. Raises `UnknownRecipe` for others and for their odder
    modes (random masking of long captions, CLIPS).
    """
    kind = type(tokenizer).__name__
    cleaning = CLEANING.get(tokenizer.clean_fn.__name__) if hasattr(tokenizer, "clean_fn") else None
    plain = not getattr(tokenizer, "tokenizer_mode", "") and getattr(tokenizer, "reduction_fn", None) is None
    if cleaning is None or not plain or kind not in ("SimpleTokenizer", "HFTokenizer"):
        raise UnknownRecipe(f"no recipe for the tokenizer {kind}", "use the model with PyTorch, unexported")
    length = int(tokenizer.context_length)
    if kind == "SimpleTokenizer":
        return _byte_pairs(tokenizer), TextRecipe(length, cleaning, padded=True)
    zeroed = int(tokenizer.tokenizer.sep_token_id) if tokenizer.strip_sep_token else None
    return padding(tokenizer.tokenizer), TextRecipe(length, cleaning, padded=True, zeroed=zeroed)


def padding(tokenizer: Any) -> Tokenizer:
    """A copy of the fast tokenizer inside one of transformers, with the padding it would use written down."""
    inner = getattr(tokenizer, "backend_tokenizer", None)
    if inner is None:
        raise UnknownRecipe(
            f"{type(tokenizer).__name__} is no fast tokenizer", "use the model with PyTorch, unexported"
        )
    copy = Tokenizer.from_str(inner.to_str())
    copy.enable_padding(
        direction=tokenizer.padding_side,
        pad_id=tokenizer.pad_token_id,
        pad_token=tokenizer.pad_token,
        pad_type_id=tokenizer.pad_token_type_id,
    )
    return copy


def _byte_pairs(tokenizer: Any) -> Tokenizer:
    start, end = (tokenizer.decoder[number] for number in (tokenizer.sot_token_id, tokenizer.eot_token_id))
    merges = sorted(tokenizer.bpe_ranks, key=tokenizer.bpe_ranks.__getitem__)
    whole = Tokenizer(models.BPE(vocab=dict(tokenizer.encoder), merges=merges, end_of_word_suffix="</w>"))
    whole.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in (start, end)])
    whole.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD_PATTERN), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    whole.decoder = decoders.ByteLevel()
    whole.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, tokenizer.sot_token_id), (end, tokenizer.eot_token_id)]
    )
    whole.enable_padding(pad_id=0, pad_token=tokenizer.decoder[0])
    return whole
