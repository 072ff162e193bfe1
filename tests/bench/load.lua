-- One request over and over; the answers that are not as expected are counted.
-- Arguments: method, path, expected status, body, then one "Name: value" for each header.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = args[1]
  wrk.path = args[2]
  expected = tonumber(args[3])
  wrk.body = args[4]
  for at = 5, #args do
    local name, value = args[at]:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
  prepared = wrk.format()
  refused = 0
end

function request()
  return prepared
end

function response(status)
  if status ~= expected then refused = refused + 1 end
end

function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  for _, thread in ipairs(threads) do failed = failed + thread:get("refused") end
  io.write(string.format(
    '\n{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "failed": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed
  ))
end
