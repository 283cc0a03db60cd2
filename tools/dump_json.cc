#include "tools/dump_json.h"

#include <boost/json.hpp>
#include <cstdio>

#include "log/together.h"
#include "replay/log_walk.h"
#include "tools/time_text.h"

namespace minod::dump {

namespace {

namespace json = boost::json;

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u; };
    const unsigned lead = at(i);
    const std::size_t more = lead < 0x80                   ? 0
                             : lead >= 0xc2 && lead < 0xe0 ? 1
                             : (lead & 0xf0) == 0xe0       ? 2
                             : lead >= 0xf0 && lead < 0xf5 ? 3
                                                           : 4;
    if (more == 4) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((at(i + k) & 0xc0) != 0x80) return false;
    }
    const unsigned second = at(i + 1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return false;
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return false;
    i += more + 1;
  }
  return true;
}

// RFC 4648, with padding.
std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0u; };
    const unsigned group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    text += kDigits[group >> 18];
    text += kDigits[group >> 12 & 63];
    text += i + 1 < bytes.size() ? kDigits[group >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? kDigits[group & 63] : '=';
  }
  return text;
}

json::value bytes_value(std::string_view bytes) {
  if (is_utf8(bytes)) return json::string(bytes);
  return json::object{{"b64", base64(bytes)}};
}

std::string crc_hex(std::uint32_t crc) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x", crc);
  return text;
}

std::string line_of(const json::object& object) { return json::serialize(object) + "\n"; }

const char* operation_word(Operation operation) {
  switch (operation) {
    case Operation::kSet:
      return "set";
    case Operation::kDelete:
      return "del";
    case Operation::kFlush:
      return "flush";
    case Operation::kControl:
      return "control";
  }
  return "";
}

}  // namespace

std::string segment_json(const SegmentRow& row) {
  json::object line{{"type", "segment"},
                    {"file", row.segment.path},
                    {"base_offset", row.segment.base.value()},
                    {"file_bytes", row.segment.size},
                    {"batch_bytes", row.batch_bytes},
                    {"batches", row.batches},
                    {"records", row.records},
                    {"codec", row.codec()},
                    {"state", row.segment.active ? "active" : "sealed"},
                    {"crc", row.damages != 0 ? "damaged"
                            : row.torn       ? "torn"
                                             : "ok"}};
  if (row.batches != 0) {
    line["last_offset"] = row.last.value();
    line["first_time"] = time_text(row.first_time);
    line["last_time"] = time_text(row.last_time);
  }
  return line_of(line);
}

std::string batch_json(const BatchRow& row) {
  const BatchHeader& header = row.header;
  return line_of(json::object{{"type", "batch"},
                              {"file", row.segment.path},
                              {"position", row.position.value()},
                              {"bytes", header.length},
                              {"base_offset", header.base_offset.value()},
                              {"last_offset", header.last_offset().value()},
                              {"records", header.record_count},
                              {"epoch", header.epoch.value},
                              {"codec", codec_name(header.codec())},
                              {"control", header.is_control()},
                              {"crc", crc_hex(header.crc)},
                              {"base_time", time_text(header.base_timestamp)},
                              {"max_time", time_text(header.max_timestamp)}});
}

namespace {

void add_together(json::object& line, const RecordView& record) {
  if (record.together.empty()) return;
  json::array logs;
  for (const LogReach& log : decode_together(record.together)) {
    logs.push_back(json::object{{"log", "db" + std::to_string(log.db) + "-" + std::to_string(log.number)},
                                {"end", log.end.value()}});
  }
  line["together"] = std::move(logs);
}

}  // namespace

std::string record_json(const RecordRow& row, std::optional<std::size_t> value_max) {
  const RecordView& record = row.record;
  json::object line{{"type", "record"},
                    {"file", row.segment.path},
                    {"batch_position", row.position.value()},
                    {"offset", record.offset.value()},
                    {"time", time_text(record.timestamp)},
                    {"unix_ms", record.timestamp.value()},
                    {"op", operation_word(row.operation)}};
  if (row.operation == Operation::kFlush) {
    line["below"] = log_start_of(record).value_or(record.offset).value();
    add_together(line, record);
    return line_of(line);
  }
  line["key"] = record.has_key ? bytes_value(record.key) : json::value();
  if (record.has_value) {
    line["value"] = bytes_value(record.value.substr(0, value_max.value_or(std::string_view::npos)));
    line["value_bytes"] = record.value.size();
  }
  if (record.expires_at != kNeverExpires) {
    line["expires"] = time_text(record.expires_at);
    line["expires_unix_ms"] = record.expires_at.value();
  }
  if (record.durable_upto != kNoOffset) line["durable_upto"] = record.durable_upto.value();
  add_together(line, record);
  return line_of(line);
}

std::string key_json(const RecordRow& row) {
  return line_of(json::object{{"type", "key"}, {"key", bytes_value(row.record.key)}});
}

std::string damage_json(const LogDamage& damage) {
  json::object line{
      {"type", damage.torn ? "torn" : "damage"},    {"file", damage.file},     {"position", damage.position.value()},
      {"expected_offset", damage.expected.value()}, {"reason", damage.reason}, {"skipped_bytes", damage.skipped_bytes}};
  if (damage.crc) {
    line["crc_expected"] = crc_hex(damage.crc->expected);
    line["crc_actual"] = crc_hex(damage.crc->actual);
  }
  if (damage.next) {
    line["next_position"] = damage.next->position.value();
    line["next_offset"] = damage.next->header.base_offset.value();
  }
  return line_of(line);
}

}  // namespace minod::dump
