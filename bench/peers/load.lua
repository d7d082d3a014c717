-- For wrk: sends the bodies of a file in turn, and prints what was measured as one line of JSON.
-- Arguments: the file with one body on each line, and the number behind which serials begin.

local SERIAL = "serial0000000000"
local requests, position, serial = {}, 0, 0

function init(arguments)
  serial = tonumber(arguments[2])
  for body in io.lines(arguments[1]) do
    local text = wrk.format("POST", "/graphql", wrk.headers, body)
    requests[#requests + 1] = {text = text, has_serial = body:find(SERIAL, 1, true) ~= nil}
  end
end

function request()
  position = position % #requests + 1
  serial = serial + 1
  local chosen = requests[position]
  if chosen.has_serial then
    return (chosen.text:gsub(SERIAL, string.format("%016d", serial)))
  end
  return chosen.text
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "failed": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
