#include "tools/bench_export.h"

#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <thread>

#include "tools/bench_report.h"
#include "tools/bench_text.h"

namespace minod::bench {

namespace {

using Number = unsigned long long;

double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (byte < 0x20 || byte > 0x7e) {
      append_format(json, "\\u%04x", static_cast<unsigned>(byte));  // as Latin-1: error texts need not be UTF-8
    } else {
      json += c;
    }
  }
  return json + '"';
}

void append_operation(std::string& json, std::string_view name, const Histogram& latency, const Outcome& outcome) {
  append_format(json, "    %s: {\"count\": %llu, \"per_second\": %.1f, \"mean_us\": %.2f, \"min_us\": %.2f",
                quoted(name).c_str(), static_cast<Number>(latency.count()), outcome.per_second(latency.count()),
                latency.mean() / 1e3, microseconds(latency.min()));
  for (const Quantile& quantile : kQuantiles) {
    append_format(json, ", \"%s_us\": %.2f", quantile.name, microseconds(latency.value_at(quantile.value)));
  }
  append_format(json, ", \"max_us\": %.2f}", microseconds(latency.max()));
}

void append_operations(std::string& json, const Outcome& outcome) {
  json += "  \"operations\": {\n";
  for (std::size_t i = 0; i < kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    if (outcome.tally.latency(operation).count() == 0) continue;
    append_operation(json, name_of(operation), outcome.tally.latency(operation), outcome);
    json += ",\n";
  }
  append_operation(json, "all", outcome.tally.latency_of_all(), outcome);
  json += "\n  },\n";
}

void append_errors(std::string& json, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  append_format(json, "  \"errors\": {\"count\": %llu, \"wrong_reads\": %llu, \"connections_lost\": %llu, \"kinds\": {",
                static_cast<Number>(tally.errors()), static_cast<Number>(tally.wrong_reads()),
                static_cast<Number>(outcome.connections_lost));
  const char* separator = "";
  for (const auto& [kind, failures] : tally.failures()) {
    append_format(json, "%s%s: {\"count\": %llu, \"first\": %s}", separator, quoted(kind).c_str(),
                  static_cast<Number>(failures.count), quoted(failures.sample).c_str());
    separator = ", ";
  }
  json += "}},\n";
  append_format(json, "  \"reads\": {\"keys\": %llu, \"misses\": %llu},\n", static_cast<Number>(tally.keys_read()),
                static_cast<Number>(tally.misses()));
}

void append_series(std::string& json, const Outcome& outcome) {
  json += "  \"series\": [";
  const char* separator = "\n";
  for (const SeriesPoint& point : outcome.series) {
    append_format(json,
                  "%s    {\"second\": %llu, \"count\": %llu, \"errors\": %llu, \"p50_us\": %.2f, \"p99_us\": %.2f, "
                  "\"max_us\": %.2f}",
                  separator, static_cast<Number>(point.second), static_cast<Number>(point.count),
                  static_cast<Number>(point.errors), microseconds(point.p50), microseconds(point.p99),
                  microseconds(point.max));
    separator = ",\n";
  }
  json += "\n  ]\n";
}

void append_setting(std::string& json, const Options& options, const Outcome& outcome) {
  utsname system{};
  ::uname(&system);
  append_format(json, "  \"program\": \"minod-bench %s\",\n", MINOD_VERSION);
  append_format(json, "  \"machine\": {\"kernel\": %s, \"host\": %s, \"cpus\": %u},\n", quoted(system.release).c_str(),
                quoted(system.nodename).c_str(), std::thread::hardware_concurrency());
  append_format(json, "  \"target\": %s,\n  \"server\": %s,\n  \"workload\": %s,\n  \"loop\": %s,\n",
                quoted(target_text(options)).c_str(), quoted(outcome.server).c_str(),
                quoted(workload_text(options)).c_str(), quoted(loop_text(options)).c_str());
  append_format(json, "  \"connections\": %u, \"threads\": %u, \"pipeline\": %u, \"seed\": %llu,\n",
                options.connections, options.threads, options.pipeline, static_cast<Number>(options.seed));
  append_format(json, "  \"warmup_seconds\": %g, \"measured_seconds\": %.3f, \"interrupted\": %s,\n",
                options.warmup_seconds, outcome.seconds, outcome.interrupted ? "true" : "false");
}

void append_self_check(std::string& json, const Options& options, const Outcome& outcome) {
  if (options.open_loop()) {
    const Histogram& lateness = outcome.tally.lateness();
    append_format(json,
                  "  \"rate\": {\"asked\": %.1f, \"achieved\": %.1f, \"backlog_max\": %llu, \"backlog_at_end\": %llu, "
                  "\"lateness_p50_us\": %.2f, \"lateness_p99_us\": %.2f, \"lateness_max_us\": %.2f},\n",
                  options.rate, outcome.per_second(outcome.measured()), static_cast<Number>(outcome.backlog_max),
                  static_cast<Number>(outcome.backlog_at_end), microseconds(lateness.value_at(0.5)),
                  microseconds(lateness.value_at(0.99)), microseconds(lateness.max()));
  }
  append_format(json, "  \"client\": {\"bound\": %s, \"cpu_shares\": [", outcome.client_bound() ? "true" : "false");
  for (std::size_t i = 0; i < outcome.cpu_shares.size(); ++i) {
    append_format(json, "%s%.3f", i == 0 ? "" : ", ", outcome.cpu_shares[i]);
  }
  json += "]},\n";
  if (const auto per_million = outcome.server_cpu_per_million()) {
    append_format(json, "  \"server_cpu\": {\"seconds\": %.3f, \"seconds_per_million_requests\": %.4f},\n",
                  *outcome.server_cpu_seconds, *per_million);
  }
}

}  // namespace

std::string report_json(const Options& options, const Outcome& outcome) {
  std::string json = "{\n";
  append_setting(json, options, outcome);
  append_operations(json, outcome);
  append_errors(json, outcome);
  append_self_check(json, options, outcome);
  append_series(json, outcome);
  return json + "}\n";
}

std::string report_csv(const Outcome& outcome) {
  std::string csv = "operation,count,per_second,mean_us,min_us";
  for (const Quantile& quantile : kQuantiles) append_format(csv, ",%s_us", quantile.name);
  csv += ",max_us\n";
  const auto append_row = [&](std::string_view name, const Histogram& latency) {
    if (latency.count() == 0) return;
    append_format(csv, "%s,%llu,%.1f,%.2f,%.2f", std::string(name).c_str(), static_cast<Number>(latency.count()),
                  outcome.per_second(latency.count()), latency.mean() / 1e3, microseconds(latency.min()));
    for (const Quantile& quantile : kQuantiles) {
      append_format(csv, ",%.2f", microseconds(latency.value_at(quantile.value)));
    }
    append_format(csv, ",%.2f\n", microseconds(latency.max()));
  };
  for (std::size_t i = 0; i < kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    append_row(name_of(operation), outcome.tally.latency(operation));
  }
  append_row("all", outcome.tally.latency_of_all());
  return csv;
}

std::string report_hdr(const Outcome& outcome) { return outcome.tally.latency_of_all().hgrm(1000); }

Result<void> write_text(const std::string& path, const std::string& text) {
  std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
  if (file == nullptr) return errno_error("open " + path, errno);
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int failure = errno;
  const bool closed = (file == stdout ? std::fflush(file) : std::fclose(file)) == 0;
  if (!written || !closed) return errno_error("write " + path, written ? errno : failure);
  return {};
}

}  // namespace minod::bench
