// How the sanitizers' runtimes behave in every program of a sanitizer preset, whoever starts it: ctest, another test,
// or you. What ASAN_OPTIONS, UBSAN_OPTIONS and TSAN_OPTIONS say comes on top. The names are the runtimes'.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

const char* __asan_default_options();
const char* __ubsan_default_options();
const char* __tsan_default_options();

// Not detect_stack_use_after_return: GCC 12 puts a local that is alignas(64) at any multiple of 32 then, and
// UndefinedBehaviorSanitizer rightly stops at its first use.
const char* __asan_default_options() { return "strict_string_checks=1:check_initialization_order=1"; }

const char* __ubsan_default_options() { return "print_stacktrace=1"; }

// A node that a test kills would take its reports with it: so the first one ends the process.
const char* __tsan_default_options() { return "halt_on_error=1:second_deadlock_stack=1"; }
}
// NOLINTEND(bugprone-reserved-identifier)
