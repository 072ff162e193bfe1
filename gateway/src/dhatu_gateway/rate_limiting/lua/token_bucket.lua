-- TokenBucket of algorithms/token_bucket.py. Kept as a hash of debt (units) and at (microseconds).
local token_bucket = {}

function token_bucket.load(key, now, token_units, rate, capacity)
  local stored = redis.call("HMGET", key, "debt", "at")
  local debt, at = tonumber(stored[1] or "0"), tonumber(stored[2] or "0")
  local elapsed = now - at
  if elapsed > 0 then
    -- A product above 2^53 is rounded, but then it is larger than any debt all the same.
    debt = math.max(0, debt - elapsed * rate)
    at = now
  end
  return {debt = debt, at = at, token_units = token_units, rate = rate, capacity = capacity}
end

function token_bucket.wait(state, cost)
  return math.max(0, math.ceil((state.debt + cost * state.token_units - state.capacity) / state.rate))
end

function token_bucket.charge(state, cost)
  state.debt = math.min(state.capacity, state.debt + cost * state.token_units)
end

function token_bucket.tell(state)
  return math.floor((state.capacity - state.debt) / state.token_units), math.ceil(state.debt / state.rate)
end

function token_bucket.store(key, state)
  redis.call("HSET", key, "debt", whole(state.debt), "at", whole(state.at))
  return state.debt / state.rate
end
