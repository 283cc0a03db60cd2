#include "tools/dump_text.h"

#include <cstdio>

#include "replay/log_walk.h"
#include "tools/text_format.h"
#include "tools/time_text.h"

namespace minod::dump {

namespace {

// "db0-0/00000000000000000000.log": enough to find it under the directory that was named.
std::string short_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return path;
  const std::size_t before = path.rfind('/', slash - 1);
  return before == std::string::npos ? path : path.substr(before + 1);
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\a':
      out += "\\a";
      return;
    case '\b':
      out += "\\b";
      return;
    case '"':
    case '\\':
      out += '\\';
      break;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte < 0x7f)
    out += c;
  else
    append_format(out, "\\x%02x", byte);
}

std::string expiry_text(const RecordView& record) {
  if (record.expires_at == kNeverExpires) return "-";
  return span_text(record.expires_at - record.timestamp) + " until " + time_text(record.expires_at);
}

}  // namespace

std::string quoted(std::string_view bytes, std::size_t size_max) {
  std::string text = "\"";
  for (const char c : bytes.substr(0, size_max)) append_escaped(text, c);
  text += '"';
  if (bytes.size() > size_max) text += "... " + std::to_string(bytes.size()) + " bytes";
  return text;
}

std::string segment_heading() {
  std::string line;
  append_format(line, "%-31s %20s  %-49s %11s %8s %9s %-6s %-7s %s\n", "FILE", "OFFSETS", "TIME (UTC)", "BYTES",
                "BATCHES", "RECORDS", "CODEC", "STATE", "CRC");
  return line;
}

std::string segment_line(const SegmentRow& row) {
  std::string offsets = std::to_string(row.segment.base.value()) + "..";
  std::string times = "-";
  if (row.batches != 0) {
    offsets += std::to_string(row.last.value());
    times = time_text(row.first_time) + ".." + time_text(row.last_time).substr(0, 24);
  }
  std::string line;
  append_format(line, "%-31s %20s  %-49s %11lld %8lld %9lld %-6s %-7s %s\n", short_path(row.segment.path).c_str(),
                offsets.c_str(), times.c_str(), static_cast<long long>(row.batch_bytes),
                static_cast<long long>(row.batches), static_cast<long long>(row.records), row.codec(),
                row.segment.active ? "active" : "sealed", row.crc_state());
  return line;
}

std::string batch_line(const BatchRow& row) {
  const BatchHeader& header = row.header;
  std::string line;
  append_format(line, "batch %lld..%lld at %lld in %s: %d bytes, %d records, epoch %d, codec %s, crc %08x, %s%s\n",
                static_cast<long long>(header.base_offset.value()),
                static_cast<long long>(header.last_offset().value()), static_cast<long long>(row.position.value()),
                short_path(row.segment.path).c_str(), header.length, header.record_count, header.epoch.value,
                codec_name(header.codec()), header.crc, time_text(header.base_timestamp).c_str(),
                header.is_control() ? ", control" : "");
  return line;
}

std::string record_heading() {
  std::string line;
  append_format(line, "  %10s %10s  %-24s  %-5s  %s\n", "OFFSET", "POSITION", "TIME (UTC)", "OP",
                "TTL  KEY  VALUE (the position is that of the batch)");
  return line;
}

std::string record_line(const RecordRow& row, std::size_t value_max) {
  const RecordView& record = row.record;
  std::string line;
  append_format(line, "  %10lld %10lld  %s  %-5s  ", static_cast<long long>(record.offset.value()),
                static_cast<long long>(row.position.value()), time_text(record.timestamp).c_str(),
                name_of(row.operation));
  if (row.operation == Operation::kFlush) {
    append_format(line, "everything below offset %lld\n",
                  static_cast<long long>(log_start_of(record).value_or(record.offset).value()));
    return line;
  }
  line += expiry_text(record) + "  " + (record.has_key ? quoted(record.key) : "(no key)");
  if (record.has_value) line += "  " + quoted(record.value, value_max);
  line += '\n';
  return line;
}

std::string damage_line(const LogDamage& damage) { return "! " + damage_text(damage) + "\n"; }

}  // namespace minod::dump
