-- Concurrency of algorithms/concurrency.py. Kept as a sorted set of slots by when they end, in microseconds.
local concurrency = {}

function concurrency.load(key, now, limit)
  redis.call("ZREMRANGEBYSCORE", key, "-inf", whole(now))
  return {now = now, held = redis.call("ZCARD", key), limit = limit, new = 0}
end

function concurrency.wait(state, cost)
  return cost > 0 and state.held + cost > state.limit and 1000000 or 0
end

function concurrency.charge(state, cost)
  state.held, state.new = state.held + cost, cost
end

function concurrency.tell(state)
  return math.max(0, state.limit - state.held), 0
end

function concurrency.store(key, state, holder, lease)
  for slot = 1, state.new do redis.call("ZADD", key, whole(state.now + lease), holder .. ":" .. slot) end
  -- Another operation's slots may be there longer.
  return tonumber(redis.call("ZRANGE", key, -1, -1, "WITHSCORES")[2]) - state.now
end
