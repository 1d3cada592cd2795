-- Replays a file of prepared HTTP requests, each signed (SigV4) and all alike to every server under test.
-- Arguments after `--`: FILE [retry-tokens] [rate=N] [acks=FILE]
--   retry-tokens  adds the header that every AWS SDK sends, amz-sdk-invocation-id, new for each request
--   rate=N        all connections together send N requests a second, on a schedule of their own
--   acks=FILE     writes "<nanoseconds since 1970> <hashid> <_version>" for each answer
-- The last line of output is one JSON object; latencies are in microseconds.
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } pawl_timespec;
  int clock_gettime(int clock, pawl_timespec *instant);
]]
local kRealtime, kMonotonic = 0, 1
local instant = ffi.new("pawl_timespec")

local function now_ns(clock)
  ffi.C.clock_gettime(clock, instant)
  return tonumber(instant.seconds) * 1e9 + tonumber(instant.nanoseconds)
end

local requests, retry_tokens, rate, acks = {}, false, nil, nil
local next_request, sent, prefix, due_ns = 0, 0, "", nil

local function read_requests(path)
  local file = assert(io.open(path, "rb"))
  while true do
    local size = file:read("*n")
    if not size then break end
    file:read(1)
    requests[#requests + 1] = file:read(size)
  end
  file:close()
end

function init(arguments)
  read_requests(arguments[1])
  for i = 2, #arguments do
    local name, value = arguments[i]:match("^([%w-]+)=?(.*)$")
    if name == "retry-tokens" then retry_tokens = true end
    if name == "rate" then rate = tonumber(value) end
    if name == "acks" then acks = assert(io.open(value, "w")) end
  end
  -- Threads and runs must not repeat each other's tokens or walk the keys in step.
  prefix = string.format("%08x-%04x-4000-8000-", now_ns(kRealtime) % 2 ^ 32, now_ns(kMonotonic) % 65536)
  next_request = math.floor(now_ns(kMonotonic) / 1000) % #requests
  if not rate then delay = nil end
  if not acks then response = nil end
end

function request()
  next_request = next_request % #requests + 1
  sent = sent + 1
  if not retry_tokens then return requests[next_request] end
  -- After the request line, whose length differs: before the Host header.
  local text = requests[next_request]
  local line_end = text:find("\r\n", 1, true)
  return text:sub(1, line_end + 1) .. "amz-sdk-invocation-id: " .. prefix .. string.format("%012x", sent) ..
    text:sub(line_end)
end

function delay()
  local now = now_ns(kMonotonic)
  due_ns = math.max((due_ns or now) + 1e9 / rate, now - 1e8)  -- forgive at most 100 ms of arrears
  return math.max(0, math.floor((due_ns - now) / 1e6))
end

function response(status, _, body)
  local hashid = body:match('"hashid":%s*{%s*"S":%s*"([^"]*)"')
  local version = body:match('"_version":%s*{%s*"N":%s*"(%d+)"')
  if status == 200 and hashid and version then
    acks:write(string.format("%.0f %s %s\n", now_ns(kRealtime), hashid, version))
  end
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,"socket_errors":%d,"http_errors":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
