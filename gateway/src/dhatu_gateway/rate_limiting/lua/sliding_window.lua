-- SlidingWindow of algorithms/sliding_window.py. Kept as a hash: the number of the window, its calls, those before.
local sliding_window = {}

function sliding_window.load(key, now, window, limit)
  local stored = redis.call("HMGET", key, "window", "calls", "before")
  local number, calls, before = tonumber(stored[1] or "0"), tonumber(stored[2] or "0"), tonumber(stored[3] or "0")
  local current = math.floor(now / window)
  local elapsed = now - current * window
  if current < number then
    current, elapsed = number, 0
  end
  if current == number + 1 then
    calls, before = 0, calls
  elseif current > number then
    calls, before = 0, 0
  end
  return {number = current, calls = calls, before = before, left = window - elapsed, window = window, limit = limit}
end

function sliding_window.wait(state, cost)
  local weighed = state.before * state.left + (state.calls + cost) * state.window
  if weighed <= state.limit * state.window then return 0 end
  local room = (state.limit - state.calls - cost) * state.window
  if room >= 0 then return state.left - math.floor(room / state.before) end
  room = (state.limit - cost) * state.window
  return state.left + math.max(0, state.window - math.floor(room / state.calls))
end

function sliding_window.charge(state, cost)
  state.calls = math.min(state.limit, state.calls + cost)
end

function sliding_window.tell(state)
  local weighed = state.before * state.left + state.calls * state.window
  local left = math.floor(math.max(0, state.limit * state.window - weighed) / state.window)
  if state.calls > 0 then return left, state.left + state.window end
  return left, state.before > 0 and state.left or 0
end

function sliding_window.store(key, state)
  redis.call("HSET", key, "window", whole(state.number), "calls", whole(state.calls), "before", whole(state.before))
  return state.left + state.window
end
