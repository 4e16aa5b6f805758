"""Everything that can be set, in one place, by `CROSSMEDIA_…` variables or by options of the interfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from crossmedia.api.invalid import first_reason
from crossmedia.embeddings.errors import CrossmediaError
from crossmedia.embeddings.sight import SightMode
from crossmedia.embeddings.torch_runtime import Precision
from crossmedia.indexer.enrichers.specification import Switch

_List = Annotated[tuple[str, ...], NoDecode]


class InvalidSetting(CrossmediaError):
    """An option or a variable has a value it cannot have."""

    code = "invalid_setting"
    status = 422


class Settings(BaseSettings):
    """Read once, in `Service.__init__`'s caller; nothing else looks at the environment. Lists are comma-separated."""

    model_config = SettingsConfigDict(
        env_prefix="CROSSMEDIA_", extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    data: Path = Path(".crossmedia")
    """The data directory: store, indexes, jobs, uploads, heads."""
    store: SecretStr = SecretStr("")
    """`elasticsearch://HOST:9200/NAME` (or `elasticsearch+https://…`) keeps the index in Elasticsearch instead of the
    data directory. The address may hold a user and a password. Needs the extra `elastic`."""
    store_api_key: SecretStr = SecretStr("")
    """API key for Elasticsearch."""
    store_user: str = ""
    """User name for Elasticsearch, if it is not part of the address."""
    store_password: SecretStr = SecretStr("")
    """Password for Elasticsearch, if it is not part of the address."""
    store_ca: Path | None = None
    """File with the certificate authority of the Elasticsearch server; without one, the system's are used."""
    profile: Literal["builtin", "clip", "toy"] = "builtin"
    """Which encoders are used: `builtin` (in the package), `clip` (the encoders named below; needs the extra `clip`
    unless they are `onnx:` folders) or `toy` (for tests)."""
    picture_encoder: str = "openclip:ViT-B-32/laion2b_s34b_b79k"
    """Profile `clip`: encoder of pictures and words, `openclip:MODEL/PRETRAINED-OR-PATH` or `onnx:FOLDER`."""
    sight: SightMode = "both"
    """Which encoder makes the vectors that words find pictures by: the fast `student`, the slower and better `teacher`
    (of files that are new), or the student at once and the teacher with the pass `sight` (`both`). The teacher needs
    `crossmedia models pull clip-b16`; without it, `both` is `student`."""
    text_encoder: str = ""
    """Profile `clip`: encoder of sentences, `st:MODEL-OR-PATH` or `onnx:FOLDER`; if empty, the built-in one."""
    sound_encoder: str = ""
    """Profile `clip`: encoder of sounds and words, `clap:MODEL-OR-PATH`; if empty, sounds are found by example only."""
    speech_model: str = "whisper-tiny.en"
    """Speech recogniser: a name from `crossmedia models` (`whisper-base` knows 99 languages), or a folder with a
    Whisper model in CTranslate2 format."""
    device: str = "auto"
    """Where large encoders run: `auto`, `cpu`, `cuda` or `cuda:N`."""
    precision: Precision = "auto"
    """Number format of large encoders: `auto`, `fp32`, `fp16` or `bf16`."""
    models: Path | None = None
    """Folder with further models, one subfolder each, searched after the bundled ones."""
    allow_hub: bool = False
    """Whether models that are not on this machine may be downloaded from Hugging Face."""
    faces: bool = False
    """Whether people are recognised by their faces. This stores biometric data, so it is off unless set. Needs the
    extra `faces`."""
    without: _List = ()
    """Passes that never run, such as `plates,ocr`."""
    policy: Path | None = None
    """TOML file with moderation rules; without one, the default rules apply."""
    indications: bool = False
    """Whether every pass also scores faces and speech for forgery; otherwise only `enrich --only forgery` (or `spoof`)
    does."""
    trust_anchors: Path | None = None
    """PEM file with certificates of trusted C2PA signers; without one, every signer counts as unknown."""
    chat_url: str = ""
    """OpenAI-compatible endpoint that answers questions, such as `http://127.0.0.1:8080/v1`; if empty, the built-in
    answerer does."""
    chat_model: str = "default"
    """Model name that is sent to that endpoint."""
    chat_key: SecretStr = SecretStr("")
    """API key for that endpoint."""
    chat_timeout: float = Field(60.0, gt=0, le=3600)
    """Seconds without any output after which the endpoint counts as unavailable."""
    chat_pictures: int = Field(4, ge=0, le=16)
    """Maximum number of pictures sent with one question."""
    vqa_model: str = ""
    """BLIP or ViLT model that answers questions about pictures instead of the built-in network: a folder, or a
    repository on the hub. Needs the extra `vqa`."""
    decode_workers: int = Field(2, ge=1, le=64)
    """Processes that decode files."""
    threads: int = Field(2, ge=1, le=256)
    """CPU threads of one encoder."""
    roots: _List = ()
    """Folders that the service may index when a request names a path; none by default."""
    api_keys: _List = ()
    """Keys of which requests must carry one (all but health checks), and that allow everything; `crossmedia key add`
    makes others. Without any, requests need none."""
    hosts: _List = ()
    """Names by which requests may call the service, beside those of this machine's loopback and of what `serve --host`
    names: that of a reverse proxy, say. `*` accepts every name."""
    audit_bytes: int = Field(10 << 20, ge=1024)
    """Size at which `audit.jsonl` becomes `audit.jsonl.1`, and a new one begins."""
    audit_files: int = Field(10, ge=1, le=1000)
    """Maximum number of such older files; the oldest one beyond goes."""
    max_upload_bytes: int = Field(2 << 30, ge=1)
    """Maximum size of one upload request."""
    reserve_bytes: int = Field(256 << 20, ge=0)
    """Disk space that stays free: uploads, searches by file and jobs that would leave less are refused (status 507)."""
    max_jobs: int = Field(1000, ge=1)
    """Maximum number of waiting jobs; further ones are refused."""
    queue: SecretStr = SecretStr("")
    """`redis://[USER:PASSWORD@]HOST:PORT/DB` of a shared queue for `crossmedia worker`; if empty, the service does its
    own jobs. Needs the extra `queue`."""
    queue_lease: float = Field(30.0, ge=1, le=3600)
    """Seconds without a sign of life after which a worker counts as dead and its job is given to another."""
    max_searches: int = Field(32, ge=1)
    """Maximum number of searches running or waiting; further ones are answered with status 429."""

    @property
    def switches(self) -> frozenset[Switch]:
        """Those that turn passes on."""
        return frozenset(name for name in get_args(Switch) if getattr(self, name))

    @field_validator("chat_url")
    @classmethod
    def _chat(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("a chat endpoint is http://HOST:PORT/v1, or https")
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

    @field_validator("without", "roots", "api_keys", "hosts", mode="before")
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
