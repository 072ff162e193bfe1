-- Gcra of algorithms/gcra.py. Kept as one number, the theoretical arrival time in microseconds.
local gcra = {}

function gcra.load(key, now, interval, tolerance)
  local due = math.max(tonumber(redis.call("GET", key) or "0"), now)
  return {due = due, now = now, interval = interval, tolerance = tolerance}
end

function gcra.wait(state, cost)
  return math.max(0, state.due - state.now + cost * state.interval - state.tolerance)
end

function gcra.charge(state, cost)
  state.due = math.max(state.due, math.min(state.now + state.tolerance, state.due + cost * state.interval))
end

function gcra.tell(state)
  local ahead = state.due - state.now
  return math.floor(math.max(0, state.tolerance - ahead) / state.interval), ahead
end

function gcra.store(key, state)
  redis.call("SET", key, whole(state.due))
  return state.due - state.now
end
