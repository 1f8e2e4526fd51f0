"""What the gateway is told from outside. Limits are starting values that say what happens there."""

from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

from pydantic import AwareDatetime, Field, SecretStr, field_validator

from kit.settings import DEVELOPMENT_PRIVATE_KEY, ServiceSettings, SettingsRefused
from services.gateway.hosts import Hosts
from wording import LexiconError, LiveEngine


class Settings(ServiceSettings):
    """Settings of one gateway process."""

    gateway_id: str = Field(default_factory=gethostname, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """Names this process in presence reports; unique among running gateways. The host's name is
    so where each gateway has a container of its own; two on one machine are told theirs."""
    service_private_key: SecretStr = DEVELOPMENT_PRIVATE_KEY
    """Signs the tokens that this gateway shows services: base64 of a raw Ed25519 private key."""
    allowed_origins: str = ""
    """Origins that browsers may connect from, comma separated. Programs send no Origin."""
    allowed_hosts: str = ""
    """Names under which browsers reach this gateway, comma separated, without a port. The names of
    the machine itself are among them: pages that it serves under one of these are its own."""

    conversation_url: str = "http://127.0.0.1:8001"
    """Where the public routes of each service answer, and the internal ones of two."""
    orders_url: str = "http://127.0.0.1:8002"
    """The same of orders."""
    aftersales_url: str = "http://127.0.0.1:8003"
    """The same of aftersales."""
    monitor_url: str = "http://127.0.0.1:8004"
    """The same of the monitor."""
    conversation_internal_url: str = "http://127.0.0.1:9001"
    """Where conversation answers its internal routes: its admin port."""
    monitor_internal_url: str = "http://127.0.0.1:9004"
    """The same of the monitor."""

    tick_ms: int = Field(default=5, ge=0, le=100)
    """Sends of this time are handed over together: the cost is per request (measured). Where few
    come they wait less, on a quiet gateway not at all."""
    outcome_s: float = Field(default=2.0, gt=0)
    """A send unacknowledged for so long is answered `retry`."""
    dated_ids_from: AwareDatetime = datetime(2026, 12, 1, tzinfo=UTC)
    """Ids that clients made from this moment on, as UUIDv7, give their messages an id with that
    time in front. It has to lie behind the end of the last gateway that does not know it."""
    dated_ids_until: AwareDatetime | None = None
    """Those from this moment on do not: for the way back to a release that knows neither."""
    notes: bool = True
    """Whether staff may write notes. Off while services run beside this one that do not know them
    yet: they keep what they cannot read, and compare no resend with it."""
    shed_after_s: float = Field(default=0.5, gt=0)
    """A send is answered `retry` without being taken while the oldest one before it in its
    partition is unacknowledged for longer."""
    ring_s: int = Field(default=60, ge=1)
    """How long a record stays in memory for who comes back."""
    ring_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    """Older records leave the ring; a resume below its floor reads them from the broker."""
    gap_records: int = Field(default=50_000, ge=1)
    """Records that are read from the broker for one that comes back; more is answered `retry`."""
    gap_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    """The same in bytes, those of all partitions together."""
    gap_s: float = Field(default=5.0, gt=0)
    """The same in seconds of reading."""

    hello_s: float = Field(default=5.0, gt=0)
    """Silence before `hello` closes with 4002: come back."""
    heartbeat_s: float = Field(default=25.0, gt=0)
    """How often a client is told to ping."""
    silence_s: float = Field(default=60.0, gt=0)
    """Silence closes with 4002."""
    slow_reader_s: float = Field(default=10.0, gt=0)
    """A queue full for so long closes with 4001."""
    queue_frames: int = Field(default=256, ge=1)
    """Frames that wait for one socket at most."""
    queue_bytes: int = Field(default=1024 * 1024, ge=1024)
    """The same in bytes."""
    frames_per_s: float = Field(default=20.0, gt=0)
    """Frames that a person may send a second, in the long run."""
    frames_burst: int = Field(default=40, ge=16)
    """Over it a frame is answered `rate_limited`; the third time closes with 4003. The largest
    frame counts as 16."""
    subscriptions: int = Field(default=200, ge=1)
    """Streams that one socket may follow."""
    sockets_per_person: int = Field(default=10, ge=1)
    """One more is closed with 4506."""
    sockets_unauthenticated: int = Field(default=1_000, ge=1)
    """Sockets of one address that have not said hello; one more upgrade is refused with 429."""
    sockets: int = Field(default=50_000, ge=1)
    """One more upgrade is refused with 503. Fewer if the process's file limit is lower: the start
    raises it as far as it may, and logs what fits."""
    presence_s: float = Field(default=10.0, gt=0)
    """How often a gateway says who is connected."""

    drain_notice_s: float = Field(default=1.0, ge=0)
    """Readiness is red for so long before upgrades are refused."""
    drain_spread_s: float = Field(default=3.0, ge=0)
    """Clients are told to reconnect at random within this time."""
    drain_flush_s: float = Field(default=10.0, gt=0)
    """Sends still unanswered then get `retry`, and every socket 4000."""
    proxy_timeout_s: float = Field(default=15.0, gt=0)
    """Longest wait for the answer of a service; then 504."""
    lexicon_folder: str = ""
    """Where the wording lexicon is read from; empty means the shipped one."""
    console_folder: str = ""
    """Where the console's built files are; empty means those that came along. Without any this
    gateway answers programs alone."""

    @field_validator("allowed_origins")
    @classmethod
    def _names_each_origin(cls, text: str) -> str:
        if "*" in text:
            raise ValueError("name each origin, separated by commas: '*' would admit every site")
        return text

    @property
    def origins(self) -> frozenset[str]:
        """The origins as a set."""
        return frozenset(filter(None, (one.strip() for one in self.allowed_origins.split(","))))

    @property
    def hosts(self) -> Hosts:
        """Which names and pages are allowed."""
        names = (one.strip().lower() for one in self.allowed_hosts.split(","))
        return Hosts(names=frozenset(filter(None, names)), origins=self.origins)

    @property
    def addresses(self) -> dict[str, str]:
        """The services behind this door, by name."""
        return {
            "conversation": self.conversation_url,
            "orders": self.orders_url,
            "aftersales": self.aftersales_url,
            "monitor": self.monitor_url,
        }

    def open_lexicon(self) -> LiveEngine:
        """Read the wording lexicon. Raises `SettingsRefused` if it cannot be read."""
        try:
            return LiveEngine(Path(self.lexicon_folder) if self.lexicon_folder else None)
        except LexiconError as error:
            raise SettingsRefused(f"PEAKDESK_LEXICON_FOLDER: {error}") from None
