-- Quota of algorithms/quota.py. Kept as a hash: the number of the day or the month, and its calls.
local quota = {}

local DAY = 86400000000

local function floored(number, by)
  return math.floor(number / by)
end

local function first_day(number)
  local year, month = floored(number - 2, 12), (number - 2) % 12
  local era, year_of_era = floored(year, 400), year % 400
  local day = year_of_era * 365 + floored(year_of_era, 4) - floored(year_of_era, 100) + floored(153 * month + 2, 5)
  return era * 146097 + day - 719468
end

local function month_of(day)
  local era, day_of_era = floored(day + 719468, 146097), (day + 719468) % 146097
  local leaps = floored(day_of_era, 1460) - floored(day_of_era, 36524) + floored(day_of_era, 146096)
  local year = floored(day_of_era - leaps, 365)
  local day_of_year = day_of_era - (365 * year + floored(year, 4) - floored(year, 100))
  local number = (era * 400 + year) * 12 + floored(5 * day_of_year + 2, 153) + 2
  return number, first_day(number + 1)
end

function quota.load(key, now, monthly, limit)
  local stored = redis.call("HMGET", key, "period", "calls")
  local period, calls = tonumber(stored[1] or "0"), tonumber(stored[2] or "0")
  local current, last = floored(now, DAY), floored(now, DAY) + 1
  if monthly == 1 then current, last = month_of(current) end
  if current > period then period, calls = current, 0 end
  return {period = period, calls = calls, left = last * DAY - now, limit = limit}
end

function quota.wait(state, cost)
  return state.calls + cost <= state.limit and 0 or state.left
end

function quota.charge(state, cost)
  state.calls = math.min(state.limit, state.calls + cost)
end

function quota.tell(state)
  return state.limit - state.calls, state.calls > 0 and state.left or 0
end

function quota.store(key, state)
  redis.call("HSET", key, "period", whole(state.period), "calls", whole(state.calls))
  return state.left
end
