"""The composition root: the use cases over one data directory, used by every face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossmedia.api.parts import Parts
from crossmedia.api.runtime import Runtime
from crossmedia.api.settings import Settings
from crossmedia.api.use_cases.moderation import Moderation
from crossmedia.api.use_cases.searching import Searching

if TYPE_CHECKING:
    from crossmedia.api.use_cases.alignment import Alignment
    from crossmedia.api.use_cases.archiving import Archiving
    from crossmedia.api.use_cases.asking import Asking
    from crossmedia.api.use_cases.assets import Assets
    from crossmedia.api.use_cases.backing_up import BackingUp
    from crossmedia.api.use_cases.indexing import Indexing
    from crossmedia.api.use_cases.keeping import Keeping
    from crossmedia.api.use_cases.known_content import KnownContent
    from crossmedia.api.use_cases.labelling import Labelling
    from crossmedia.api.use_cases.labels import Labels
    from crossmedia.api.use_cases.people import People
    from crossmedia.api.use_cases.plates import Plates
    from crossmedia.api.use_cases.pointing import Pointing
    from crossmedia.api.use_cases.repairing import Repairing
    from crossmedia.api.use_cases.speaking import Speaking
    from crossmedia.api.use_cases.summarizing import Summarizing
    from crossmedia.api.use_cases.trust import Trust
    from crossmedia.api.use_cases.voices import Voices


class Service:
    """Everything over one data directory, a property a use case. What is not used is neither imported nor built.

    Thread-safe where its parts are: any number of searches, one index or enrich run at a time.
    """

    def __init__(self, settings: Settings, processes: int = 1) -> None:
        """`processes`: how many such as this one share the machine's memory."""
        if settings.without:
            from crossmedia.indexer.enrichers.registry import require

            require(settings.without)
        self.runtime = Runtime(settings, processes)
        self._parts = Parts()

    @property
    def moderation(self) -> Moderation:
        """What is to be done with what was recognised, and what was decided."""
        return self._parts.get(Moderation, lambda: Moderation(self.runtime))

    @property
    def searching(self) -> Searching:
        return self._parts.get(Searching, lambda: Searching(self.runtime, self.moderation))

    @property
    def indexing(self) -> Indexing:
        from crossmedia.api.use_cases.indexing import Indexing

        return self._parts.get(Indexing, lambda: Indexing(self.runtime, self.moderation))

    @property
    def assets(self) -> Assets:
        from crossmedia.api.use_cases.assets import Assets

        return self._parts.get(Assets, lambda: Assets(self.runtime, self.keeping))

    @property
    def backing_up(self) -> BackingUp:
        from crossmedia.api.use_cases.backing_up import BackingUp

        return self._parts.get(BackingUp, lambda: BackingUp(self.runtime))

    @property
    def repairing(self) -> Repairing:
        from crossmedia.api.use_cases.repairing import Repairing

        return self._parts.get(Repairing, lambda: Repairing(self.runtime, self.indexing, self.keeping))

    @property
    def keeping(self) -> Keeping:
        from crossmedia.api.use_cases.keeping import Keeping

        return self._parts.get(Keeping, lambda: Keeping(self.runtime))

    @property
    def asking(self) -> Asking:
        """Questions, and answers that cite."""
        from crossmedia.api.use_cases.asking import Asking

        return self._parts.get(Asking, lambda: Asking(self.runtime, self.searching, self.moderation))

    @property
    def summarizing(self) -> Summarizing:
        from crossmedia.api.use_cases.summarizing import Summarizing

        return self._parts.get(Summarizing, lambda: Summarizing(self.runtime, self.moderation))

    @property
    def speaking(self) -> Speaking:
        from crossmedia.api.use_cases.speaking import Speaking

        return self._parts.get(Speaking, lambda: Speaking(self.runtime.settings))

    @property
    def labels(self) -> Labels:
        from crossmedia.api.use_cases.labels import Labels

        return self._parts.get(Labels, lambda: Labels(self.runtime))

    @property
    def labelling(self) -> Labelling:
        """Vocabularies, and the labels that pictures get from them."""
        from crossmedia.api.use_cases.labelling import Labelling

        return self._parts.get(Labelling, lambda: Labelling(self.runtime, self.moderation, self.indexing))

    @property
    def pointing(self) -> Pointing:
        """Where words are in pictures."""
        from crossmedia.api.use_cases.pointing import Pointing

        return self._parts.get(Pointing, lambda: Pointing(self.runtime))

    @property
    def plates(self) -> Plates:
        from crossmedia.api.use_cases.plates import Plates

        return self._parts.get(Plates, lambda: Plates(self.runtime))

    @property
    def people(self) -> People:
        from crossmedia.api.use_cases.people import People

        return self._parts.get(People, lambda: People(self.runtime))

    @property
    def voices(self) -> Voices:
        from crossmedia.api.use_cases.voices import Voices

        return self._parts.get(Voices, lambda: Voices(self.runtime))

    @property
    def banks(self) -> KnownContent:
        """Known content, whether or not there is a collection."""
        from crossmedia.api.use_cases.known_content import KnownContent

        return self._parts.get(KnownContent, lambda: KnownContent(self.runtime, self.moderation))

    @property
    def trust(self) -> Trust:
        """Where files say that they come from, and indications of forgeries."""
        from crossmedia.api.use_cases.trust import Trust

        return self._parts.get(Trust, lambda: Trust(self.runtime))

    @property
    def alignment(self) -> Alignment:
        """What people teach a collection, and its vectors made anew."""
        from crossmedia.api.use_cases.alignment import Alignment

        return self._parts.get(Alignment, lambda: Alignment(self.runtime))

    @property
    def archiving(self) -> Archiving:
        from crossmedia.api.use_cases.archiving import Archiving

        return self._parts.get(Archiving, lambda: Archiving(self.runtime))

    def close(self) -> None:
        self._parts.close()
        self.runtime.close()
