"""Larger networks that answer questions about pictures: BLIP and ViLT through the package transformers (the extra
`vqa`).

J. Li et al., "BLIP" (ICML 2022); W. Kim et al., "ViLT" (ICML 2021). A checkpoint is a folder, or a repository of the
hub.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final

from PIL import Image

from crossmedia.embeddings.errors import ModelCorrupt
from crossmedia.embeddings.media import Picture
from crossmedia.embeddings.torch_runtime import Precision, folder, place, quiet, require, revision, weight_files

NETWORKS: Final = {"blip": "BlipForQuestionAnswering", "vilt": "ViltForQuestionAnswering"}
MAX_ANSWERS: Final = 5
MAX_ANSWER_TOKENS: Final = 20
"""Tokens of an answer that is written word by word."""


class TransformersVqa:
    """Picture and question → answers with the network's own probabilities, best first. Opened at the first question.

    `model`: a folder with `config.json` and weights, or a name on the hub. Raises ModelMissing; `answer` also
    ModelCorrupt, DependencyMissing, DeviceMissing or UnknownPrecision.
    """

    def __init__(
        self, model: str, device: str = "auto", precision: Precision = "auto", *, allow_hub: bool = False
    ) -> None:
        self._root = folder(model, "config.json", "Salesforce", allow_hub)
        local = Path(model).expanduser().is_dir()
        self.model = f"{self._root.resolve().name if local else model}@{revision(weight_files(self._root))}"
        self._device, self._precision = device, precision

    @cached_property
    def _opened(self) -> tuple[Any, Any, str]:
        """Processor, network, device."""
        library = require("transformers")
        placement = place(self._device, self._precision)
        try:
            with quiet():
                config = library.AutoConfig.from_pretrained(self._root, local_files_only=True)
                if config.model_type not in NETWORKS:
                    raise ModelCorrupt(
                        f"{self._root.name} is a {config.model_type}", "name a BLIP or a ViLT that answers questions"
                    )
                processor = library.AutoProcessor.from_pretrained(self._root, local_files_only=True)
                kind = getattr(library, NETWORKS[config.model_type])
                network = kind.from_pretrained(self._root, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise ModelCorrupt(f"{self._root.name} cannot be read: {error}", "name another checkpoint") from error
        return processor, network.eval().to(placement.device), placement.device

    def answer(self, picture: Picture, question: str) -> list[tuple[str, float]]:
        """At most five; of a network that writes its answer the one, with the product of its tokens' probabilities."""
        processor, network, device = self._opened
        torch = require("torch")
        asked = processor(Image.fromarray(picture.pixels), question, return_tensors="pt", truncation=True).to(device)
        with torch.inference_mode():
            if network.config.model_type == "vilt":
                shares = network(**asked).logits[0].softmax(0)
                best = shares.topk(min(MAX_ANSWERS, shares.shape[0]))
                names = network.config.id2label
                return [(names[int(n)], float(share)) for share, n in zip(best.values, best.indices, strict=True)]
            written = network.generate(
                **asked, max_new_tokens=MAX_ANSWER_TOKENS, output_scores=True, return_dict_in_generate=True
            )
        text = processor.decode(written.sequences[0], skip_special_tokens=True).strip()
        chance = 1.0
        for token, score in zip(written.sequences[0][-len(written.scores) :], written.scores, strict=True):
            chance *= float(score[0].softmax(0)[token])
        return [(text, chance)] if text else []
