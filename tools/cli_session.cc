#include "tools/cli_session.h"

#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <iterator>

#include "net/resp/connect.h"
#include "tools/cli_format.h"

namespace minod {

namespace {

using Words = std::vector<std::string>;

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool is(const Words& words, std::string_view command) { return !words.empty() && same(words.front(), command); }

bool is(const Words& words, std::string_view command, std::string_view subcommand) {
  return is(words, command) && words.size() > 1 && same(words[1], subcommand);
}

// Replies made to be read by people: printed as they are, as redis-cli does.
bool answers_text(const Words& words) {
  return is(words, "info") || is(words, "lolwut") || is(words, "client", "list") || is(words, "client", "info") ||
         is(words, "cluster", "nodes") || is(words, "cluster", "info") || is(words, "memory", "doctor") ||
         is(words, "memory", "malloc-stats") || is(words, "latency", "doctor") || is(words, "latency", "graph");
}

bool streams(const Words& words) {
  return is(words, "subscribe") || is(words, "psubscribe") || is(words, "ssubscribe") || is(words, "monitor");
}

bool unsubscribes(const Words& words) {
  return is(words, "unsubscribe") || is(words, "punsubscribe") || is(words, "sunsubscribe");
}

std::vector<std::string_view> views(const Words& words) { return {words.begin(), words.end()}; }

}  // namespace

CliSession::CliSession(const CliOptions& options)
    : address_(options.address), protocol_(options.protocol), output_(options.output) {
  if (output_ == CliOutput::kAuto) output_ = isatty(STDOUT_FILENO) != 0 ? CliOutput::kReadable : CliOutput::kRaw;
}

int CliSession::ensure_connected() {
  if (client_ && lost()) client_.reset();
  if (client_) return kExitOk;
  Result<resp::Client> client = resp::Client::connect(address_, protocol_);
  if (client) {
    client_.emplace(std::move(*client));
    return kExitOk;
  }
  if (client.error().code == Errc::kInvalid) {
    const std::string why = client.error().message();
    const char* const remedy = why.starts_with("SELECT")
                                   ? "choose another database with -n or in the URL"
                                   : "see the password in -a, REDISCLI_AUTH or the URL, and --user";
    std::fprintf(stderr, "%s; %s\n", why.c_str(), remedy);
    return kExitErrorReply;
  }
  std::fprintf(stderr,
               "Could not %s; is minod running? Start it with ./dev run or name another address with -h and -p\n",
               client.error().message().c_str());
  return kExitConnection;
}

// Whether the server closed the connection while it was idle. Asked before a command is sent: to send it once more
// after the connection broke could execute it twice.
bool CliSession::lost() const {
  char byte = 0;
  const ssize_t count = recv(client_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

int CliSession::run(const Words& words) {
  const int connected = ensure_connected();
  if (connected != kExitOk) return connected;
  client_->queue(views(words));
  const Result<void> sent = client_->flush();
  if (!sent) return broken(sent.error());
  if (streams(words)) return stream(words);
  for (;;) {
    const Result<resp::Value> reply = client_->receive();
    if (!reply) return is(words, "shutdown") ? kExitOk : broken(reply.error());
    print(*reply, answers_text(words));
    if (reply->type == resp::Value::Type::kPush && !unsubscribes(words)) continue;
    follow(words, *reply);
    return reply->is_error() ? kExitErrorReply : kExitOk;
  }
}

int CliSession::stream(const Words& words) {
  if (!is(words, "monitor")) std::fputs("Reading messages... (press Ctrl-C to quit)\n", stderr);
  for (;;) {
    const Result<resp::Value> reply = client_->receive();
    if (!reply) return broken(reply.error());
    print(*reply);
    std::fflush(stdout);
    if (reply->is_error()) return kExitErrorReply;
  }
}

int CliSession::broken(const Error& error) {
  client_.reset();
  std::fprintf(stderr, "Lost the connection to %s: %s; the command may or may not have been executed\n",
               resp::place_of(address_).c_str(), error.message().c_str());
  return kExitConnection;
}

Result<resp::Value> CliSession::call(const Words& words) {
  Result<resp::Value> reply = client_->call(views(words));
  if (!reply) client_.reset();
  return reply;
}

// Keeps what the connection is in mind, for the prompt and for connecting again.
void CliSession::follow(const Words& words, const resp::Value& reply) {
  if (reply.is_error()) return;
  if (is(words, "select") && words.size() == 2) {
    std::from_chars(words[1].data(), words[1].data() + words[1].size(), address_.db);
  } else if (is(words, "auth") && words.size() >= 2) {
    address_.user = words.size() == 3 ? words[1] : "";
    address_.password = words.back();
  } else if (is(words, "hello") && words.size() >= 2) {
    protocol_ = words[1] == "3" ? 3 : 2;
    const auto auth = std::find_if(words.begin() + 2, words.end(), [](const auto& word) { return same(word, "auth"); });
    if (std::distance(auth, words.end()) > 2) {
      address_.user = auth[1];
      address_.password = auth[2];
    }
  } else if (is(words, "reset")) {
    address_.db = 0;
    protocol_ = 2;
  } else if (is(words, "quit")) {
    client_.reset();
  }
}

void CliSession::print(const resp::Value& value, bool as_text) const {
  std::string text;
  if (output_ == CliOutput::kJson) {
    text = json_text(value) + "\n";
  } else if (output_ == CliOutput::kRaw) {
    text = raw_text(value) + "\n";
  } else {
    text = as_text ? raw_text(value) : readable_text(value);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
}

std::string CliSession::prompt() const {
  if (!client_) return "not connected> ";
  const std::string db = address_.db == 0 ? "" : "[" + std::to_string(address_.db) + "]";
  return resp::place_of(address_) + db + "> ";
}

}  // namespace minod
