-- Each request shows one of the sessions of a file, at random.
local requests = {}

function init(args)
  math.randomseed(os.time())
  for line in io.lines(args[1]) do
    local name, value = line:match('^(%S+): (.*)$')
    requests[#requests + 1] = wrk.format('GET', nil, { [name] = value })
  end
end

function request()
  return requests[math.random(#requests)]
end

-- Milliseconds between the requests of one connection, on average. Only where there is a limit: being asked costs time.
local pause = tonumber(os.getenv('BENCH_PAUSE'))
if pause then
  function delay()
    return math.random(0, 2 * pause)
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"duration":%d,"p50":%d,"p99":%d,"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
