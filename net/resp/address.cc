#include <charconv>
#include <optional>

#include "net/resp/client.h"

namespace minod::resp {

namespace {

Error not_an_address(std::string_view url, const char* why) {
  return Error{Errc::kInvalid, 0,
               "'" + std::string(url) + "': " + why +
                   "; write redis://[[user]:password@]host[:port][/db] or unix:///path[?db=n]"};
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && stop == text.data() + text.size();
}

bool read_db(std::string_view text, int& db) { return read_number(text, db) && db >= 0; }

// %41 is A; nothing when a % has no two hexadecimal digits behind it.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at != text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    const std::string_view digits = text.substr(at + 1, 2);
    unsigned char byte = 0;
    const auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || failure != std::errc() || stop != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    at += 2;
  }
  return decoded;
}

// Drops "user:password@" from the front; as in redis-cli, "password@" is a password.
bool take_login(std::string_view& rest, Address& address) {
  const std::size_t at_sign = rest.substr(0, rest.find('/')).rfind('@');
  if (at_sign == std::string_view::npos) return true;
  const std::string_view login = rest.substr(0, at_sign);
  rest.remove_prefix(at_sign + 1);
  const std::size_t colon = login.find(':');
  const bool named = colon != std::string_view::npos;
  const auto user = percent_decoded(named ? login.substr(0, colon) : std::string_view());
  const auto password = percent_decoded(named ? login.substr(colon + 1) : login);
  if (!user || !password) return false;
  address.user = *user;
  address.password = *password;
  return true;
}

// host, host:port, [v6]:port; an absent one keeps its default.
bool take_host(std::string_view place, Address& address) {
  std::size_t host_end = place.find(':');
  std::string_view host = place.substr(0, host_end);
  if (place.starts_with('[')) {
    const std::size_t bracket = place.find(']');
    if (bracket == std::string_view::npos) return false;
    host = place.substr(1, bracket - 1);
    host_end = bracket + 1 == place.size() ? std::string_view::npos : bracket + 1;
  }
  if (host_end != std::string_view::npos) {
    if (place[host_end] != ':' || !read_number(place.substr(host_end + 1), address.port)) return false;
  }
  const auto decoded = percent_decoded(host);
  if (!decoded) return false;
  if (!decoded->empty()) address.host = *decoded;
  return true;
}

Result<Address> parse_unix(std::string_view url, std::string_view rest) {
  Address address;
  constexpr std::string_view kDb = "?db=";
  if (!take_login(rest, address)) return not_an_address(url, "a % stands without two hexadecimal digits");
  const std::size_t query = rest.find('?');
  if (query != std::string_view::npos) {
    if (!rest.substr(query).starts_with(kDb) || !read_db(rest.substr(query + kDb.size()), address.db)) {
      return not_an_address(url, "only ?db=n may stand behind the path");
    }
  }
  const auto path = percent_decoded(rest.substr(0, query));
  if (!path) return not_an_address(url, "a % stands without two hexadecimal digits");
  if (!path->starts_with('/')) return not_an_address(url, "the path of a unix socket begins with /");
  address.unix_path = *path;
  return address;
}

}  // namespace

Result<Address> parse_address(std::string_view url) {
  constexpr std::string_view kUnix = "unix://";
  constexpr std::string_view kRedis = "redis://";
  if (url.starts_with(kUnix)) return parse_unix(url, url.substr(kUnix.size()));
  if (url.starts_with("rediss://")) return Error{Errc::kUnsupported, 0, "rediss: this client speaks no TLS"};
  if (!url.starts_with(kRedis)) return not_an_address(url, "not an address");

  Address address;
  std::string_view rest = url.substr(kRedis.size());
  if (!take_login(rest, address)) return not_an_address(url, "a % stands without two hexadecimal digits");
  const std::size_t slash = rest.find('/');
  if (!take_host(rest.substr(0, slash), address)) return not_an_address(url, "the host or the port is wrong");
  if (slash != std::string_view::npos && slash + 1 != rest.size() && !read_db(rest.substr(slash + 1), address.db)) {
    return not_an_address(url, "the database is not a number");
  }
  return address;
}

}  // namespace minod::resp
