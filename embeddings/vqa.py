"""Larger networks that answer questions about pictures: BLIP and ViLT through the package transformers (the extra `vqa`).

J. Li et al., "BLIP" (ICML 2022); W. Kim et al., "ViLT" (ICML 2021). A checkpoint is a folder, or a repository of the hub.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final

from PIL import Image

from embeddings.errors import DependencyMissing, ModelCorrupt, ModelMissing
from embeddings.media import Picture

INSTALL: Final = 'pip install "crossmedia[vqa]"'
BEST: Final = 5
LONGEST: Final = 20
"""Tokens of an answer that is written word by word."""


class TransformersVqa:
    """Picture and question → answers with the network's own probabilities, best first. Opened at the first question.

    `where`: a folder with `config.json`, or a repository; the latter only with `hub`. Raises DependencyMissing, ModelMissing,
    ModelCorrupt.
    """

    def __init__(self, where: str, device: str = "cpu", hub: bool = False) -> None:
        if not hub and not (Path(where) / "config.json").is_file():
            raise ModelMissing(
                f"no checkpoint in {where}", "name a folder with config.json, or allow the hub: CROSSMEDIA_ALLOW_HUB=1"
            )
        self._where, self._device, self._hub = where, device, hub
        self.model = f"vqa:{Path(where).name if not hub else where}"

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        """(processor, network)."""
        try:
            from transformers import AutoConfig, AutoProcessor, BlipForQuestionAnswering, ViltForQuestionAnswering
        except ImportError as error:
            raise DependencyMissing("transformers is not installed", INSTALL) from error
        local = not self._hub
        try:
            config = AutoConfig.from_pretrained(self._where, local_files_only=local)
            known = {"blip": BlipForQuestionAnswering, "vilt": ViltForQuestionAnswering}
            if config.model_type not in known:
                raise ModelCorrupt(
                    f"{self._where} is a {config.model_type}", "name a BLIP or a ViLT that answers questions"
                )
            processor = AutoProcessor.from_pretrained(self._where, local_files_only=local)
            network = known[config.model_type].from_pretrained(self._where, local_files_only=local)
        except (OSError, ValueError) as error:
            raise ModelCorrupt(
                f"{self._where} cannot be read: {type(error).__name__}", "name another checkpoint"
            ) from error
        return processor, network.eval().to(self._device)

    def answer(self, picture: Picture, question: str) -> list[tuple[str, float]]:
        """At most five; of a network that writes its answer the one, with the product of its tokens' probabilities."""
        import torch

        processor, network = self._opened
        asked = processor(Image.fromarray(picture.pixels), question, return_tensors="pt", truncation=True).to(
            self._device
        )
        with torch.no_grad():
            if network.config.model_type == "vilt":
                shares = network(**asked).logits[0].softmax(0)
                best = shares.topk(min(BEST, shares.shape[0]))
                names = network.config.id2label
                return [(names[int(n)], float(share)) for share, n in zip(best.values, best.indices, strict=True)]
            written = network.generate(
                **asked, max_new_tokens=LONGEST, output_scores=True, return_dict_in_generate=True
            )
        text = processor.decode(written.sequences[0], skip_special_tokens=True).strip()
        tokens = written.sequences[0][-len(written.scores) :]
        chance = 1.0
        for token, score in zip(tokens, written.scores, strict=True):
            chance *= float(score[0].softmax(0)[token])
        return [(text, chance)] if text else []
