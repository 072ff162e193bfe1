-- Keeps a new user, and notes who made it.
-- KEYS[1]  users: a hash of JSON by name  KEYS[2]  the audit log: a list of JSON
-- ARGV     name, the user's JSON, the entry of the log
-- answers  1, or 0 where the name is taken
if redis.call("HSETNX", KEYS[1], ARGV[1], ARGV[2]) == 0 then
  return 0
end
redis.call("RPUSH", KEYS[2], ARGV[3])
return 1
