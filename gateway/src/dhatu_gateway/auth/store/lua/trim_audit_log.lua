-- Drops entries from the beginning of the audit log.
-- KEYS: the log; how many entries were dropped. ARGV: the time before which entries go; how many at most.
-- Returns how many went.
local gone = 0
while gone < tonumber(ARGV[2]) do
  local oldest = redis.call('LINDEX', KEYS[1], 0)
  if not oldest or cjson.decode(oldest).at_s >= tonumber(ARGV[1]) then break end
  redis.call('LPOP', KEYS[1])
  gone = gone + 1
end
if gone > 0 then redis.call('INCRBY', KEYS[2], gone) end
return gone
