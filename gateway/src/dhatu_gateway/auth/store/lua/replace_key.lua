-- Keeps a key in place of another, which ends later, and notes who did it.
-- KEYS[1]  keys: a hash of JSON by id     KEYS[2]  keys by age: a sorted set of <creation><id>
-- KEYS[3]  the audit log: a list of JSON
-- ARGV     the old key's id, its JSON as it was read, its JSON with the new end;
--          the new key's id, its JSON, its member of the sorted set; the entry of the log
-- answers  1, or 0 where the old key is not as it was read
if redis.call("HGET", KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
redis.call("ZADD", KEYS[2], 0, ARGV[6])
redis.call("RPUSH", KEYS[3], ARGV[7])
return 1
