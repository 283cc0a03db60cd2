# Whether a program has what MINOD_HARDEN of cmake/minod.cmake says. Run as: cmake -DPROGRAM=FILE -P tests/hardening.cmake
cmake_minimum_required(VERSION 3.25)
set(missing "")

# Looks for `pattern` in what readelf says.
function(expect what option pattern)
  execute_process(COMMAND readelf --wide ${option} ${PROGRAM} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  if(NOT text MATCHES "${pattern}")
    set(missing "${missing}  ${what}\n" PARENT_SCOPE)
  endif()
endfunction()

expect("position independent (-pie)" --dynamic "FLAGS_1[^\n]*PIE")
expect("relocated before it runs (-z now)" --dynamic "FLAGS_1[^\n]*NOW")
expect("relocations are read-only then (-z relro)" --program-headers "GNU_RELRO")
expect("a stack that is not executable" --program-headers "GNU_STACK[^\n]* RW  ")
expect("stack protection (-fstack-protector-strong)" --dyn-syms "__stack_chk_fail")
expect("checked calls of libc (_FORTIFY_SOURCE)" --dyn-syms "__(memcpy|snprintf|vsnprintf|read|pread64)_chk")
expect("checked containers (_GLIBCXX_ASSERTIONS)" --dyn-syms "__glibcxx_assert_fail")
if(missing)
  message(FATAL_ERROR "${PROGRAM} lacks:\n${missing}")
endif()
