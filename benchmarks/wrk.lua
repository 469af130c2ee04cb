-- One line of JSON at the end, in place of wrk's own report.
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d, ' ..
    '"p10": %.3f, "median": %.3f, "p90": %.3f, "worst": %.3f}\n',
    summary.requests, summary.duration / 1e6, e.connect, e.read, e.write, e.status, e.timeout,
    latency:percentile(10) / 1e3, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency.max / 1e3))
end
