#include "net/config_replication.h"

#include "net/option_kind.h"
#include "net/peer/peer_address.h"

namespace minod {

namespace {

Result<std::string> parse_member(std::string_view name, std::string_view value) {
  std::string text(value);
  if (text.empty() || option::same_name(text, "no one")) return std::string();
  if (const std::size_t space = text.find(' '); space != std::string::npos) text[space] = ':';
  if (!parse_peer_address(text)) return option::refused(name, "HOST:PORT, the --peer-port of another node", value);
  return text;
}

Error invalid(const char* why) { return Error{Errc::kInvalid, 0, why}; }

}  // namespace

Result<void> set_replicaof(Config& config, std::string_view value) {
  auto address = parse_member("replicaof", value);
  if (!address) return address.error();
  config.replicaof = std::move(*address);
  return {};
}

Result<void> set_announce_peer(Config& config, std::string_view value) {
  auto address = parse_member("announce-peer", value);
  if (!address) return address.error();
  config.announce_peer = std::move(*address);
  return {};
}

Result<void> check_replication(const Config& config) {
  if (config.min_replicas_to_write > config.replicas) {
    return invalid("min-replicas-to-write must not be greater than replicas");
  }
  const bool has_certificate = !config.peer_tls_cert_file.empty();
  if (config.peer_tls_key_file.empty() == has_certificate || config.peer_tls_ca_cert_file.empty() == has_certificate) {
    return invalid("peer-tls-cert-file, peer-tls-key-file and peer-tls-ca-cert-file go together: all or none");
  }
  if (!config.announce_peer.empty() && config.peer_port == 0) return invalid("announce-peer needs peer-port");
  if (config.replicates() && config.maxdisk != 0 && config.maxdisk_policy != DiskPolicy::kNoEviction) {
    return invalid("maxdisk-policy allkeys-segment does not go with replication; use noeviction");
  }
  return {};
}

}  // namespace minod
