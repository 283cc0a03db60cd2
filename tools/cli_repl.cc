#include "tools/cli_repl.h"

#include <histedit.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "net/resp/words.h"
#include "tools/cli_commands.h"

namespace minod {

namespace {

constexpr int kHistoryLines = 1000;

bool same(const std::string& word, const char* name) { return strcasecmp(word.c_str(), name) == 0; }

// libedit reaches us through its client data, so this must stay where it is.
class Terminal {
 public:
  explicit Terminal(CliSession& session)
      : session_(session), history_(history_init(), history_end), edit_(nullptr, el_end) {
    edit_.reset(el_init("minod-cli", stdin, stdout, stderr));
    HistEvent event;
    history(history_.get(), &event, H_SETSIZE, kHistoryLines);
    history(history_.get(), &event, H_SETUNIQUE, 1);
    if (const char* home = std::getenv("HOME")) history_path_ = std::string(home) + "/.minodcli_history";
    if (!history_path_.empty()) history(history_.get(), &event, H_LOAD, history_path_.c_str());
    EditLine* const edit = edit_.get();
    el_set(edit, EL_CLIENTDATA, this);
    el_set(edit, EL_SIGNAL, 1);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_PROMPT, &Terminal::prompt);
    el_set(edit, EL_HIST, history, history_.get());
    el_set(edit, EL_ADDFN, "complete", "Complete the command", &Terminal::complete);
    el_set(edit, EL_BIND, "^I", "complete", nullptr);
    el_source(edit, nullptr);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  int run() {
    int status = session_.ensure_connected();
    for (;;) {
      if (commands_.empty() && session_.connected()) learn_commands();
      prompt_ = session_.prompt();
      int count = 0;
      const char* const line = el_gets(edit_.get(), &count);
      if (line == nullptr || count <= 0) {
        std::puts("");
        return status == kExitErrorReply ? kExitOk : status;
      }
      std::vector<std::string> words;
      if (!resp::split_words(line, words)) {
        std::puts("Invalid argument(s): a quote is not closed, or not at the end of its word");
        continue;
      }
      if (words.empty()) continue;
      if (!is_secret(words)) remember(line);
      if (same(words.front(), "quit") || same(words.front(), "exit")) return kExitOk;
      status = execute(words);
      std::fflush(stdout);
    }
  }

 private:
  static Terminal& self(EditLine* edit) {
    void* terminal = nullptr;
    el_get(edit, EL_CLIENTDATA, &terminal);
    return *static_cast<Terminal*>(terminal);
  }

  static char* prompt(EditLine* edit) { return self(edit).prompt_.data(); }

  // Completes the name of a command; behind a whole name, shows its arguments.
  static unsigned char complete(EditLine* edit, int /*key*/) {
    const CliCommands& commands = self(edit).commands_;
    const LineInfo* const info = el_line(edit);
    const std::string line(info->buffer, info->cursor);
    const std::vector<std::string> names = commands.beginning_with(line);
    const std::string more = completion_of(line, names);
    if (!more.empty() && el_insertstr(edit, more.c_str()) == 0) return CC_REFRESH;

    std::string shown;
    for (const std::string& name : names) shown += name + "  ";
    if (names.empty()) shown = commands.arguments_of(std::string_view(line).substr(0, line.find_last_not_of(' ') + 1));
    if (shown.empty()) return CC_ERROR;
    std::printf("\n%s\n", shown.c_str());
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  int execute(const std::vector<std::string>& words) {
    if (same(words.front(), "clear")) {
      std::fputs("\x1b[H\x1b[2J", stdout);
      return kExitOk;
    }
    if (same(words.front(), "help")) return help(words);
    return session_.run(words);
  }

  int help(const std::vector<std::string>& words) {
    std::string name;
    for (std::size_t i = 1; i < words.size(); ++i) name += (i == 1 ? "" : " ") + words[i];
    std::vector<std::string> names = commands_.beginning_with(name);
    const std::vector<std::string> subcommands = commands_.beginning_with(name + " ");
    names.insert(names.end(), subcommands.begin(), subcommands.end());
    if (name.empty() || names.empty()) {
      std::puts("help COMMAND: its arguments; TAB completes names; clear, quit. Ctrl-R searches the history.");
      return kExitOk;
    }
    for (const std::string& found : names) std::printf("%s %s\n", found.c_str(), commands_.arguments_of(found).c_str());
    return kExitOk;
  }

  // A server that answers neither has a session without completion.
  void learn_commands() {
    const Result<resp::Value> docs = session_.call({"COMMAND", "DOCS"});
    if (!docs) return;
    if (!docs->is_error()) commands_.learn_docs(*docs);
    if (!commands_.empty()) return;
    const Result<resp::Value> names = session_.call({"COMMAND"});
    if (names && !names->is_error()) commands_.learn_names(*names);
  }

  void remember(const char* line) {
    HistEvent event;
    history(history_.get(), &event, H_ENTER, line);
    if (!history_path_.empty()) history(history_.get(), &event, H_SAVE, history_path_.c_str());
  }

  CliSession& session_;
  std::unique_ptr<History, decltype(&history_end)> history_;
  std::unique_ptr<EditLine, decltype(&el_end)> edit_;
  std::string history_path_;
  std::string prompt_;
  CliCommands commands_;
};

}  // namespace

int run_terminal(CliSession& session) { return Terminal(session).run(); }

bool is_secret(const std::vector<std::string>& words) {
  if (words.empty()) return false;
  if (same(words.front(), "auth")) return true;
  const auto has = [&words](const char* name) {
    return std::any_of(words.begin() + 1, words.end(), [name](const auto& word) { return same(word, name); });
  };
  if (same(words.front(), "hello")) return has("auth");
  if (same(words.front(), "acl")) return has("setuser");
  return same(words.front(), "config") && has("set") && (has("requirepass") || has("masterauth"));
}

std::string completion_of(std::string_view line, const std::vector<std::string>& names) {
  if (line.empty() || names.empty()) return {};
  std::string common = names.front();
  for (const std::string& name : names) {
    const auto [end, other] = std::mismatch(common.begin(), common.end(), name.begin(), name.end());
    common.erase(end, common.end());
  }
  std::string more = common.substr(std::min(line.size(), common.size()));
  if (names.size() == 1) more += ' ';
  if (std::isupper(static_cast<unsigned char>(line.back())) != 0) {
    std::transform(more.begin(), more.end(), more.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  }
  return more;
}

}  // namespace minod
