"""Everything that can be set, in one place, by `CROSSMEDIA_…` variables or by a face's options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from crossmedia.api.invalid import first_reason
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.torch_runtime import Precision
from crossmedia.indexer.enrichers.specification import Switch

_List = Annotated[tuple[str, ...], NoDecode]


class InvalidSetting(CrossmediaError):
    """An option or a variable has a value it cannot have."""

    code = "invalid_setting"
    status = 422


class Settings(BaseSettings):
    """Read once, in `Service.__init__`'s caller; nothing else looks at the environment. Lists are comma-separated."""

    model_config = SettingsConfigDict(env_prefix="CROSSMEDIA_", extra="ignore", hide_input_in_errors=True)

    data: Path = Path(".crossmedia")
    """The one data directory: store, derived indexes, jobs, uploads."""
    store: SecretStr = SecretStr("")
    """`elasticsearch://HOST:9200/NAME` (or `elasticsearch+https://…`) keeps the index in an Elasticsearch instead of
    the data directory; it may hold a user and a password. The extra `elastic` is needed."""
    store_api_key: SecretStr = SecretStr("")
    store_user: str = ""
    store_password: SecretStr = SecretStr("")
    store_ca: Path | None = None
    """The certificate that signed the server's, if no authority that the system trusts did."""
    profile: Literal["builtin", "clip", "toy"] = "builtin"
    """`clip` takes pictures and words from the encoder below; it needs the extra `clip` unless that is an `onnx:`
    folder."""
    picture_encoder: str = "openclip:ViT-B-32/laion2b_s34b_b79k"
    text_encoder: str = ""
    """Sentence vectors by `st:MODEL-OR-PATH`; the built-in ones if empty. Of the profile `clip` only, like the next."""
    sound_encoder: str = ""
    """Sounds and words by `clap:MODEL-OR-PATH`; if empty, sounds are found by example only."""
    speech_model: str = "whisper-tiny.en"
    """What listens to speech: an id of `crossmedia models` (`whisper-base` hears 99 languages), or a folder with a
    Whisper in CTranslate2's format."""
    device: str = "auto"
    """Where those run: auto, cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    models: Path | None = None
    """A folder with further models, one sub-folder each, searched after the bundled ones."""
    allow_hub: bool = False
    """Whether a model that is nowhere here may be fetched from its hub."""
    faces: bool = False
    """Whether faces are told apart: biometric data, which is kept of nobody unless this is set. The extra `faces` is
    needed."""
    without: _List = ()
    """Enrichers that are left out."""
    policy: Path | None = None
    """A file of rules: what is allowed, reviewed and blocked. Without one the default applies
    (`retrieval/policy/rules.py`)."""
    indications: bool = False
    """Whether every pass scores faces and speech for forgeries (`forgery`, `spoof`); else only where they are named."""
    trust_anchors: Path | None = None
    """Certificates in PEM of those whose C2PA signatures are trusted; without any, every signer is unknown."""
    chat_url: str = ""
    """An OpenAI-compatible endpoint that answers questions, `http://127.0.0.1:8080/v1` say; the built-in answerer if
    empty."""
    chat_model: str = "default"
    chat_key: SecretStr = SecretStr("")
    chat_timeout: float = Field(60.0, gt=0, le=3600)
    """Seconds without a piece of its answer after which it counts as away."""
    chat_pictures: int = Field(4, ge=0, le=16)
    """Pictures that go with one question, at most."""
    vqa_model: str = ""
    """A BLIP or ViLT that looks at pictures in place of the built-in network: a folder, or a repository of the hub. It
    needs the extra `vqa`."""
    decode_workers: int = Field(2, ge=1, le=64)
    threads: int = Field(2, ge=1, le=256)
    """Processor threads an encoder uses."""
    roots: _List = ()
    """Folders from which the service may index by path; none by default."""
    api_keys: _List = ()
    """If any is set, every request but health checks must carry one."""
    max_upload_bytes: int = Field(2 << 30, ge=1)
    max_jobs: int = Field(1000, ge=1)
    queue: SecretStr = SecretStr("")
    """`redis://[USER:PASSWORD@]HOST:PORT/DB`: jobs wait there for `crossmedia worker`; if empty, whoever serves does
    them."""
    queue_lease: float = Field(30.0, ge=1, le=3600)
    """Seconds after which a worker that is not heard of counts as dead, and its job goes to another."""
    max_searches: int = Field(32, ge=1)
    """Searches running or waiting at once; one more is answered 429."""

    @property
    def switches(self) -> frozenset[Switch]:
        """Those that turn passes on."""
        return frozenset(name for name in get_args(Switch) if getattr(self, name))

    @field_validator("chat_url")
    @classmethod
    def _chat(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("an endpoint is http://HOST:PORT/v1, or https")
        return value

    @field_validator("queue")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(value.get_secret_value())
            good = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
            good = good and (parts.path.strip("/") or "0").isdigit()
        except ValueError:  # a port that is no number
            good = False
        if value and not good:
            raise ValueError("a queue is redis://[USER:PASSWORD@]HOST:PORT/DB, or rediss:// with TLS")
        return value

    @field_validator("without", "roots", "api_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def read_settings(**given: Any) -> Settings:
    """The settings from the environment, with `given` before it; raises InvalidSetting."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise InvalidSetting(
            first_reason(error), "correct the option, or the variable CROSSMEDIA_… of that name"
        ) from error
