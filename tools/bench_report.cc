#include "tools/bench_report.h"

#include "tools/bench_text.h"

namespace minod::bench {

namespace {

using Number = unsigned long long;

void append_row(std::string& text, std::string_view name, const Histogram& latency, const Outcome& outcome) {
  append_format(text, "%-8.*s %12llu %11.0f", static_cast<int>(name.size()), name.data(),
                static_cast<Number>(latency.count()), outcome.per_second(latency.count()));
  for (const Quantile& quantile : kQuantiles) {
    append_format(text, " %9s", duration_text(latency.value_at(quantile.value)).c_str());
  }
  append_format(text, " %9s\n", duration_text(latency.max()).c_str());
}

void append_table(std::string& text, const Outcome& outcome) {
  append_format(text, "%-8s %12s %11s", "", "requests", "per second");
  for (const Quantile& quantile : kQuantiles) append_format(text, " %9s", quantile.name);
  append_format(text, " %9s\n", "max");
  unsigned rows = 0;
  for (std::size_t i = 0; i < kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    const Histogram& latency = outcome.tally.latency(operation);
    if (latency.count() == 0) continue;
    append_row(text, name_of(operation), latency, outcome);
    ++rows;
  }
  if (rows != 1) append_row(text, "all", outcome.tally.latency_of_all(), outcome);
}

void append_errors(std::string& text, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  if (tally.errors() == 0) {
    text += "errors    none\n";
    return;
  }
  append_format(text, "errors    %llu\n", static_cast<Number>(tally.errors()));
  for (const auto& [kind, failures] : tally.failures()) {
    append_format(text, "  %llu x %s, first: %s\n", static_cast<Number>(failures.count), kind.c_str(),
                  failures.sample.c_str());
  }
}

void append_reads(std::string& text, const Options& options, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  if (tally.keys_read() == 0) return;
  append_format(text, "reads     %llu keys, %.2f %% found", static_cast<Number>(tally.keys_read()),
                100 - 100 * static_cast<double>(tally.misses()) / static_cast<double>(tally.keys_read()));
  if (options.verify) append_format(text, "; verified, %llu wrong", static_cast<Number>(tally.wrong_reads()));
  text += "\n";
}

void append_rate(std::string& text, const Options& options, const Outcome& outcome) {
  if (!options.open_loop()) return;
  const double achieved = outcome.per_second(outcome.measured());
  append_format(text, "rate      asked %.0f/s, achieved %.0f/s (%.1f %%); backlog at most %llu, at the end %llu\n",
                options.rate, achieved, 100 * achieved / options.rate, static_cast<Number>(outcome.backlog_max),
                static_cast<Number>(outcome.backlog_at_end));
  const Histogram& lateness = outcome.tally.lateness();
  append_format(text, "lateness  of sending: p50 %s, p99 %s, max %s\n", duration_text(lateness.value_at(0.5)).c_str(),
                duration_text(lateness.value_at(0.99)).c_str(), duration_text(lateness.max()).c_str());
}

void append_client(std::string& text, const Outcome& outcome) {
  text += "client    CPU of each thread:";
  for (const double share : outcome.cpu_shares) append_format(text, " %.0f %%", share * 100);
  text += "\n";
}

void append_server(std::string& text, const Outcome& outcome) {
  const auto per_million = outcome.server_cpu_per_million();
  if (per_million) {
    append_format(text, "server    %.3f CPU s per million requests (%.2f s for %llu)\n", *per_million,
                  *outcome.server_cpu_seconds, static_cast<Number>(outcome.tally.replies()));
  } else {
    text += "server    CPU unknown: INFO does not say used_cpu_sys and used_cpu_user\n";
  }
}

void append_warnings(std::string& text, const Options& options, const Outcome& outcome) {
  if (outcome.client_bound()) {
    text +=
        "CLIENT-BOUND: a generator thread used more than 90 % of its CPU; this measures minod-bench, not the server. "
        "Use more --threads, or compare by server CPU.\n";
  }
  if (options.open_loop() && outcome.backlog_at_end > 0) {
    text +=
        "BACKLOG: requests were due faster than they could be sent; those never sent are in no percentile, and "
        "latencies grow with the duration. Ask for a lower --rate, or allow more --connections or --pipeline.\n";
  }
  if (outcome.connections_lost != 0) {
    append_format(text, "CONNECTIONS LOST: %llu\n", static_cast<Number>(outcome.connections_lost));
  }
  if (outcome.interrupted) text += "INTERRUPTED: this is the part before Ctrl-C.\n";
}

}  // namespace

std::string report_text(const Options& options, const Outcome& outcome) {
  std::string text = "target    " + target_text(options) + ", " + outcome.server + "\n";
  text += "workload  " + workload_text(options) + "\n";
  append_format(text, "load      %u connections, %u threads, pipeline %u; measured %.2f s after %g s of warm-up\n",
                options.connections, options.threads, options.pipeline, outcome.seconds, options.warmup_seconds);
  text += "          " + loop_text(options) + "\n\n";
  append_table(text, outcome);
  text += "\n";
  append_errors(text, outcome);
  append_reads(text, options, outcome);
  append_rate(text, options, outcome);
  append_client(text, outcome);
  append_server(text, outcome);
  append_warnings(text, options, outcome);
  return text;
}

std::string progress_text(const SeriesPoint& point) {
  std::string text;
  append_format(text, "%5llu s  %10llu/s  p50 %s  p99 %s  max %s  errors %llu", static_cast<Number>(point.second + 1),
                static_cast<Number>(point.count), duration_text(point.p50).c_str(), duration_text(point.p99).c_str(),
                duration_text(point.max).c_str(), static_cast<Number>(point.errors));
  return text;
}

std::string load_text(const Options& options, const Outcome& outcome) {
  std::string text;
  append_format(text, "loaded    %llu keys into %s in %.2f s, %.0f/s%s\n", static_cast<Number>(outcome.measured()),
                target_text(options).c_str(), outcome.seconds, outcome.per_second(outcome.measured()),
                outcome.interrupted ? "; INTERRUPTED" : "");
  if (outcome.tally.errors() != 0) append_errors(text, outcome);
  return text;
}

}  // namespace minod::bench
