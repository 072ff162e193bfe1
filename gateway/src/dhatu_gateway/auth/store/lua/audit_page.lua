-- A page of the audit log, the newest first.
-- KEYS: the log, a list with the oldest first; how many entries were dropped from its beginning.
-- ARGV: how many entries; the number before which they stand, or 0 for the newest.
-- Returns the number of the first one, then the entries. Numbers start at 1 and are never used again.
local dropped = tonumber(redis.call('GET', KEYS[2]) or '0')
local last = dropped + redis.call('LLEN', KEYS[1])
local before = tonumber(ARGV[2])
if before > 0 and before - 1 < last then last = before - 1 end
local to = last - dropped - 1
if to < 0 then return {last} end
local found = redis.call('LRANGE', KEYS[1], math.max(0, to - tonumber(ARGV[1]) + 1), to)
local page = {last}
for at = #found, 1, -1 do page[#page + 1] = found[at] end
return page
