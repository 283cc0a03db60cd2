# What every target of minod is built with.
option(MINOD_WERROR "Warnings are errors" ON)
# Each of these is looked for in the program by tests/hardening.cmake.
option(MINOD_HARDEN "Releases: stack protection, checked libc calls and containers, PIE, read-only relocations" ON)
set(MINOD_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them: address,undefined or thread")
# The build type of the sanitizer presets. Under address,undefined -O2 -g takes GCC three times as long over this tree as
# -Og -g1, for reports that read no better; asserts of Boost and of the standard library are on.
set(CMAKE_CXX_FLAGS_SANITIZE "-Og -g1")
# Not -Og: what is inlined or folded there has no lines of its own.
option(MINOD_COVERAGE "Count which lines and branches run, for gcov" OFF)
set(CMAKE_CXX_FLAGS_COVERAGE "-O0 -g1")

add_library(minod_build INTERFACE)
target_include_directories(minod_build INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(minod_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -march=x86-64-v2 $<$<BOOL:${MINOD_HARDEN}>:-fstack-protector-strong> -fno-omit-frame-pointer
  $<$<BOOL:${MINOD_WERROR}>:-Werror>
  $<$<AND:$<BOOL:${MINOD_HARDEN}>,$<CONFIG:Release>>:-fstack-clash-protection>)
target_compile_definitions(minod_build INTERFACE
  MINOD_VERSION="${PROJECT_VERSION}"
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION
  $<$<AND:$<BOOL:${MINOD_HARDEN}>,$<CONFIG:Release,RelWithDebInfo,Sanitize>>:_GLIBCXX_ASSERTIONS>)
if(MINOD_HARDEN)
  target_link_options(minod_build INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
  # Objects are position independent already; so are the programs then, whatever the compiler's default is.
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES CXX)
endif()
if(MINOD_COVERAGE)
  target_compile_options(minod_build INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(minod_build INTERFACE --coverage)
endif()
if(MINOD_SANITIZE)
  target_compile_options(minod_build INTERFACE -fsanitize=${MINOD_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(minod_build INTERFACE -fsanitize=${MINOD_SANITIZE})
  add_library(sanitizer_options OBJECT cmake/sanitizer_options.cc)
  target_link_libraries(minod_build INTERFACE $<TARGET_OBJECTS:sanitizer_options>)
  # ThreadSanitizer does not see fences. net/mailbox.h has two; they order atomics only, and guard no data.
  if(MINOD_SANITIZE STREQUAL "thread")
    target_compile_options(minod_build INTERFACE -Wno-tsan)
  endif()
else()
  target_compile_definitions(minod_build INTERFACE $<$<AND:$<BOOL:${MINOD_HARDEN}>,$<CONFIG:Release>>:_FORTIFY_SOURCE=2>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside the standard library and Boost when it inlines (GCC bugs 105329, 105651, 106199).
  target_compile_options(minod_build INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
                         -Wno-maybe-uninitialized)
endif()

find_program(MINOD_CCACHE ccache)
if(MINOD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MINOD_CCACHE})
endif()
find_program(MINOD_MOLD mold)
if(MINOD_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# minod_library(log base PkgConfig::zstd …): every .cc below this folder, and what it stands on.
function(minod_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc)
  list(TRANSFORM ARGN REPLACE "^(base|log|index|store|replay|cluster|net)$" "minod_\\1")
  if(sources)
    add_library(minod_${name} STATIC ${sources})
    target_link_libraries(minod_${name} PUBLIC minod_build ${ARGN})
  else()
    add_library(minod_${name} INTERFACE)
    target_link_libraries(minod_${name} INTERFACE minod_build ${ARGN})
  endif()
endfunction()
