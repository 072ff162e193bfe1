-- SlidingLog of algorithms/sliding_log.py. Kept as a list of times in microseconds, oldest first.
local sliding_log = {}

-- How many of the first `count` calls came at `edge` or before: a binary search, since a list may be long.
local function expired_calls(key, count, edge)
  local low, high = 0, count
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call("LINDEX", key, middle)) <= edge then low = middle + 1 else high = middle end
  end
  return low
end

function sliding_log.load(key, now, window, limit)
  local count = redis.call("LLEN", key)
  local last = count > 0 and tonumber(redis.call("LINDEX", key, -1)) or 0
  now = math.max(now, last)
  local first = expired_calls(key, count, now - window)
  return {key = key, first = first, count = count - first, last = last, now = now, window = window, limit = limit, new = 0}
end

function sliding_log.wait(state, cost)
  local over = state.count + cost - state.limit
  if over <= 0 then return 0 end
  return tonumber(redis.call("LINDEX", state.key, state.first + over - 1)) + state.window - state.now
end

function sliding_log.charge(state, cost)
  local over = math.max(0, state.count + cost - state.limit)
  state.first, state.count, state.new, state.last = state.first + over, state.count + cost - over, cost, state.now
end

function sliding_log.tell(state)
  return state.limit - state.count, state.count > 0 and state.last + state.window - state.now or 0
end

function sliding_log.store(key, state)
  if state.first > 0 then redis.call("LTRIM", key, state.first, -1) end
  local time = whole(state.now)
  for _ = 1, state.new do redis.call("RPUSH", key, time) end
  return state.window
end
