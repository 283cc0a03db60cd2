// Whole runs against a server in this process: what is measured when it pauses, and what is written about it.
#include "tools/bench_run.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tools/paused_server.h"
#include "tools/bench_export.h"
#include "tools/bench_report.h"

namespace minod::bench {
namespace {

using std::chrono_literals::operator""ms;
namespace json = boost::json;

constexpr std::uint64_t kMillisecond = 1'000'000;

Options pings(const PausedServer& server) {
  Options options;
  options.address.port = server.port();
  options.mix = Mix::of(Operation::kPing);
  options.warmup_seconds = 0;
  options.duration_seconds = 1;
  options.connections = 1;
  return options;
}

Result<Outcome> run(const Options& options) {
  std::atomic<std::uint64_t> newest{options.keys};
  const std::atomic<bool> stop{false};
  return run_phase(options, {newest, nullptr, stop, false});
}

std::uint64_t slower_than(const Histogram& latency, std::uint64_t nanoseconds) {
  std::uint64_t slower = 0;
  for (double at = 0.0005; at < 1; at += 0.001) slower += latency.value_at(at) > nanoseconds;
  return latency.count() * slower / 1000;
}

// A server that answers at once but for one pause of 400 ms in a second. Who asks again only when the last answer has
// come sees one slow request; who comes 1000 times a second, as clients do, sees four hundred, half of which wait for
// 200 ms and more.
TEST(CoordinatedOmission, AClosedLoopHidesAPauseAndAnOpenLoopShowsIt) {
  {
    const PausedServer server({300ms, 400ms});
    const auto closed = run(pings(server));
    ASSERT_TRUE(closed.has_value());
    const Histogram& latency = closed->tally.latency(Operation::kPing);
    EXPECT_GE(latency.max(), 350 * kMillisecond);
    EXPECT_GT(latency.count(), 100u);
    EXPECT_LT(latency.value_at(0.98), 100 * kMillisecond);
  }
  const PausedServer server({300ms, 400ms});
  Options options = pings(server);
  options.rate = 1000;
  options.pipeline = 1000;
  const auto open = run(options);
  ASSERT_TRUE(open.has_value());
  const Histogram& latency = open->tally.latency(Operation::kPing);
  EXPECT_EQ(latency.count(), 1000u);
  EXPECT_GE(latency.max(), 350 * kMillisecond);
  EXPECT_GE(latency.value_at(0.99), 300 * kMillisecond);
  EXPECT_GE(latency.value_at(0.85), 150 * kMillisecond);
  EXPECT_GE(slower_than(latency, 100 * kMillisecond), 250u);
}

// With room for one request at a time nothing can be sent during the pause; what was meant to be is sent afterwards and
// timed from when it was meant.
TEST(CoordinatedOmission, SlotsThatThePauseDelaysAreCountedToo) {
  const PausedServer server({300ms, 400ms});
  Options options = pings(server);
  options.rate = 1000;
  const auto open = run(options);
  ASSERT_TRUE(open.has_value());
  EXPECT_GE(open->backlog_max, 300u);
  EXPECT_GE(slower_than(open->tally.latency(Operation::kPing), 100 * kMillisecond), 250u);
}

TEST(BenchRun, TheWarmUpIsNotMeasured) {
  const PausedServer server({0ms, 200ms});
  Options options = pings(server);
  options.warmup_seconds = 0.6;
  options.duration_seconds = 0.2;
  const auto outcome = run(options);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_GT(outcome->measured(), 0u);
  EXPECT_LT(outcome->tally.latency(Operation::kPing).max(), 190 * kMillisecond);
  EXPECT_NEAR(outcome->seconds, 0.2, 0.15);
}

TEST(BenchRun, LockstepSendsWholePipelines) {
  const PausedServer server({});
  Options options = pings(server);
  options.pipeline = 16;
  options.requests = 1600;
  options.lockstep = true;
  const auto outcome = run(options);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->measured(), 1600u);
  EXPECT_EQ(server.largest_burst(), 16u);
  EXPECT_EQ(server.smallest_burst(), 16u);
}

TEST(BenchRun, ThreadsShareConnectionsRequestsAndTheRate) {
  const PausedServer server({});
  Options options = pings(server);
  options.threads = 3;
  options.connections = 7;
  options.requests = 1001;
  auto outcome = run(options);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->measured(), 1001u);
  EXPECT_EQ(outcome->cpu_shares.size(), 3u);

  options.requests = 0;
  options.rate = 900;
  options.duration_seconds = 0.5;
  outcome = run(options);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->measured(), 450u);
}

TEST(BenchRun, NobodyThereIsAnError) {
  Options options;
  options.address.port = PausedServer({}).port();  // it has gone
  EXPECT_FALSE(run(options).has_value());
}

TEST(BenchRun, ReportsSayWhatWasMeasured) {
  const PausedServer server({});
  Options options = pings(server);
  options.rate = 1000;
  options.duration_seconds = 2.2;
  options.mix.set(Operation::kGet, 1);  // is answered with an error
  const auto outcome = run(options);
  ASSERT_TRUE(outcome.has_value());

  const json::value report = json::parse(report_json(options, *outcome));
  const json::object& operations = report.at("operations").as_object();
  const std::int64_t gets = operations.at("get").at("count").to_number<std::int64_t>();
  EXPECT_EQ(operations.at("all").at("count").to_number<std::int64_t>(), 2200);
  EXPECT_EQ(operations.at("ping").at("count").to_number<std::int64_t>(), 2200 - gets);
  EXPECT_EQ(report.at("errors").at("count").to_number<std::int64_t>(), gets);
  EXPECT_EQ(report.at("errors").at("kinds").at("ERR").at("first").as_string(), "ERR this server answers PING");
  EXPECT_EQ(report.at("rate").at("asked").to_number<double>(), 1000);
  EXPECT_EQ(report.at("series").as_array().size(), 3u);
  EXPECT_EQ(report.at("loop").as_string(), loop_text(options));

  std::istringstream csv(report_csv(*outcome));
  std::vector<std::string> lines;
  for (std::string line; std::getline(csv, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], "operation,count,per_second,mean_us,min_us,p50_us,p90_us,p99_us,p99.9_us,p99.99_us,max_us");
  EXPECT_TRUE(lines[1].starts_with("get," + std::to_string(gets) + ","));
  EXPECT_TRUE(lines[3].starts_with("all,2200,"));

  const std::string people = report_text(options, *outcome);
  EXPECT_NE(people.find("asked 1000/s"), std::string::npos);
  EXPECT_NE(people.find("x ERR, first: ERR this server answers PING"), std::string::npos);
  EXPECT_NE(report_hdr(*outcome).find("Total count    =         2200"), std::string::npos);
}

TEST(BenchRun, TheProgressLineTellsTheLastWholeSecond) {
  EXPECT_EQ(
      progress_text({.second = 4, .count = 12345, .errors = 2, .p50 = 87'300, .p99 = 1'250'000, .max = 9'000'000}),
      "    5 s       12345/s  p50 87.3us  p99 1.25ms  max 9.00ms  errors 2");
}

}  // namespace
}  // namespace minod::bench
