"""PDQ of a picture: Meta's perceptual hash (Apache-2.0 / BSD), through `pdqhash`."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from crossmedia.embeddings.errors import DependencyMissing
from crossmedia.embeddings.media import Picture
from crossmedia.retrieval.banks.hashes import Hash


class PdqHasher:
    """Raises DependencyMissing where `pdqhash` is not installed.

    Pictures are hashed as large as they were decoded, as hasher-matcher-actioner does: scaled to 512 pixels first, as
    the C++ reference does, photos of a thousand pixels are 6 to 16 bits away from that, half of what still matches.
    """

    def __init__(self) -> None:
        try:
            import pdqhash
        except ImportError as error:
            raise DependencyMissing("pdqhash is not installed", 'pip install "crossmedia[banks]"') from error
        self._compute = pdqhash.compute
        self.model = f"pdqhash-{version('pdqhash')}"

    def __call__(self, picture: Picture) -> Hash:
        """Its quality says whether it can be compared: pictures of a few pixels, or of one colour, have 0."""
        bits, quality = self._compute(np.ascontiguousarray(picture.pixels))
        return Hash("pdq", np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality))
