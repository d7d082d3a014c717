"""The quota of a key: a token bucket of points, which are the cost of operations.

On SQLite the only process has the buckets. On PostgreSQL the table `key_quota` has them, and each
process leases points from it in chunks, so that few requests need a statement. A bucket never
gives more than it has, so that all processes together spend at most one chunk each beyond it: the
points that they leased earlier. In return, a key may be refused while another process still has
points of its own, at most one chunk.

Known libraries count requests in windows, or store a row for each point, or have no PostgreSQL.
"""

import asyncio
from contextlib import suppress
from functools import lru_cache
from math import ceil
from time import monotonic
from uuid import UUID

from sqlalchemy import Float, Uuid, bindparam, column, text

from app.database.dialect import Dialect
from app.database.prepared import Prepared
from app.database.sessions import Database
from app.errors import RateLimited, RollcallError
from app.settings import RateLimit, Settings

# A lease has the points of this time, and at most this part of the bucket.
LEASE_SECONDS = 1
LEASE_PART = 0.1

# A bucket that is nearly empty is asked again after this time, not for each request.
PAUSE_SECONDS = 0.1

# A request that is not executed costs about as much time as these points.
REFUSED_POINTS = 100

HELD_LIMIT = 10_000  # keys

# Without a subquery, and with functions of the clock in VALUES alone: Citus takes no others here.
_FILLED = """least(
    :burst,
    key_quota.points + :points_per_second * extract(
        epoch FROM greatest(excluded.filled_at, key_quota.filled_at) - key_quota.filled_at
    )
)"""
_GRANTED = f"CASE WHEN {_FILLED} < :least THEN 0 ELSE least({_FILLED}, :most) END"
_LEASE = f"""
INSERT INTO key_quota (workspace_id, key_id, points, granted, filled_at)
VALUES (:workspace_id, :key_id, :burst - :most, :most, clock_timestamp())
ON CONFLICT (workspace_id, key_id) DO UPDATE SET
    points = {_FILLED} - {_GRANTED},
    granted = {_GRANTED},
    filled_at = greatest(excluded.filled_at, key_quota.filled_at)
RETURNING granted, points
"""  # noqa: S608  # of the two texts above


class Allowance:
    """The points of one key, as its only process has them."""

    def __init__(self, rate: RateLimit) -> None:
        self.rate = rate
        self._own = float(rate.burst_points)  # may be spent at once; below 0, a debt
        self._elsewhere = 0.0  # may be had from elsewhere
        self._at = monotonic()

    def check(self) -> None:
        """Raises RateLimited if no point is left."""
        self._fill()
        if self._own + self._elsewhere < 1:
            raise self._refusal(1)

    async def take(self, cost: int) -> None:
        """Raises RateLimited if there are fewer points than the operation costs."""
        if self._own < cost:
            await self._fetch(cost)
        if self._own < cost:
            self._own -= REFUSED_POINTS
            raise self._refusal(cost)
        self._own -= cost

    async def charge(self) -> None:
        """For a request that is not executed, whether the points are there or not."""
        self._own -= REFUSED_POINTS
        if self._own < 0:
            with suppress(RollcallError):  # the request is answered with its own error
                await self._fetch(0)

    def balance(self) -> tuple[int, int]:
        """The points that remain, as far as this process knows, and the seconds until the bucket is
        full if no request comes."""
        left, burst = self._own + self._elsewhere, self.rate.burst_points
        if left >= burst:
            return burst, 0
        return int(left) if left > 0 else 0, self._seconds_until(burst)

    def _fill(self) -> None:
        self._own = self._filled(self._own)

    async def _fetch(self, _: int) -> None:
        self._fill()

    def _filled(self, points: float) -> float:
        at = monotonic()
        points += (at - self._at) * self.rate.points_per_second
        self._at = at
        return min(points, self.rate.burst_points)

    def _seconds_until(self, points: int) -> int:
        return ceil((points - self._own - self._elsewhere) / self.rate.points_per_second)

    def _refusal(self, cost: int) -> RateLimited:
        seconds = max(self._seconds_until(cost), 1)
        return RateLimited(cost, self.balance()[0], self.rate.burst_points, seconds)


class SharedAllowance(Allowance):
    """The points of one key, as one of several processes has them.

    Its own ones are leased. Elsewhere are the most that the bucket can have: those after the last
    lease, and what has come since then.
    """

    def __init__(
        self, rate: RateLimit, database: Database, workspace_id: UUID, key_id: UUID
    ) -> None:
        super().__init__(rate)
        self._own, self._elsewhere = 0.0, self._own
        self._database = database
        self._workspace_id, self._key_id = workspace_id, key_id
        self._leasing = asyncio.Lock()
        self._chunk = min(rate.points_per_second * LEASE_SECONDS, rate.burst_points * LEASE_PART)

    def _fill(self) -> None:
        self._elsewhere = self._filled(self._elsewhere)

    async def _fetch(self, wanted: int) -> None:
        async with self._leasing:
            self._fill()
            missing = wanted - self._own
            useful = max(missing, self._chunk * PAUSE_SECONDS / LEASE_SECONDS)
            if missing > 0 and self._elsewhere >= useful:
                await self._lease(missing)

    async def _lease(self, least: float) -> None:
        [leased] = await self._database.fetch(
            _lease(self._database.dialect),
            workspace_id=self._workspace_id,
            key_id=self._key_id,
            least=least,
            most=max(least, self._chunk),
            burst=float(self.rate.burst_points),
            points_per_second=float(self.rate.points_per_second),
        )
        self._at = monotonic()
        self._elsewhere = leased["points"]
        self._own += leased["granted"]


class Quota:
    """The allowances of the keys that this process has served."""

    def __init__(self, rate: RateLimit, database: Database, *, is_shared: bool) -> None:
        self._rate = rate
        self._database = database
        self._is_shared = is_shared
        self._held: dict[UUID, Allowance] = {}

    def of(self, workspace_id: UUID, key_id: UUID) -> Allowance:
        allowance = self._held.get(key_id)
        if allowance is None:
            if len(self._held) >= HELD_LIMIT:
                del self._held[next(iter(self._held))]  # the oldest one
            allowance = self._held[key_id] = self._new(workspace_id, key_id)
        return allowance

    def _new(self, workspace_id: UUID, key_id: UUID) -> Allowance:
        if self._is_shared:
            return SharedAllowance(self._rate, self._database, workspace_id, key_id)
        return Allowance(self._rate)


def quota_of(settings: Settings, database: Database) -> Quota | None:
    rate = settings.rate_limit
    return Quota(rate, database, is_shared=settings.is_postgresql) if rate else None


@lru_cache(maxsize=8)
def _lease(dialect: Dialect) -> Prepared:
    ids = [bindparam(name, type_=Uuid) for name in ("workspace_id", "key_id")]
    numbers = [
        bindparam(name, type_=Float) for name in ("least", "most", "burst", "points_per_second")
    ]
    statement = text(_LEASE).bindparams(*ids, *numbers)
    return dialect.prepare(statement.columns(column("granted", Float), column("points", Float)))
