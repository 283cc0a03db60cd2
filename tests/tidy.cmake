# What docs/STYLE.md asks for and a compiler can't see: names, sizes, markers, sources of nondeterminism.
# Run as: cmake -P tests/tidy.cmake
cmake_minimum_required(VERSION 3.25)
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

set(file_lines_max 400)
set(function_lines_max 70)
set(banned_words manager util utils helper helpers common misc impl data info context)

# Exceptions, each with its reason.
set(named_anyway
  info            # the command INFO
  data_directory  # what Redis, Kafka and our own option `dir` call it
)
set(longer_anyway
)
set(nondeterministic_anyway
  base/clock.cc       # the clock seam
  log/aio_disk.cc log/aio_disk.h log/aio_file.cc log/aio_file.h log/aio_queue.cc log/aio_queue.h  # the disk seam
  log/side_thread.cc log/side_thread.h  # what the disk seam does behind the shard's back
  replay/change_feed.cc replay/change_feed.h  # a restart's threads; simulations ask for none
)

set(violations "")
macro(violation text)
  string(APPEND violations "  ${text}\n")
endmacro()

# Sets `lines` to a list of the file's lines. Brackets and semicolons would break a list; nothing here looks for them.
function(read_lines file)
  file(READ ${root}/${file} text)
  string(REGEX REPLACE "\n$" "" text "${text}")
  string(REPLACE "[" "(" text "${text}")
  string(REPLACE "]" ")" text "${text}")
  string(REPLACE ";" "," text "${text}")
  string(REPLACE "\\" "/" text "${text}")
  string(REPLACE "\n" ";" text "${text}")
  set(lines "${text}" PARENT_SCOPE)
endfunction()

function(check_name file)
  get_filename_component(name ${file} NAME_WE)
  string(REPLACE "_" ";" words ${name})
  foreach(word ${words})
    if(word IN_LIST banned_words AND NOT name IN_LIST named_anyway)
      violation("${file}: '${word}' says nothing; name the thing")
    endif()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

# clang-format puts a function's closing brace under the start of its first line, and its opening one at a line's end.
function(check_lines file)
  list(LENGTH lines count)
  if(count GREATER file_lines_max AND NOT file IN_LIST longer_anyway)
    violation("${file}: ${count} lines; ${file_lines_max} at most")
  endif()
  set(number 0)
  set(begin 0)
  foreach(line IN LISTS lines)
    math(EXPR number "${number} + 1")
    if(line MATCHES "(^|[^A-Za-z0-9_])(TODO|FIXME|XXX)([^A-Za-z0-9_]|$)")
      violation("${file}:${number}: ${CMAKE_MATCH_2} stays in nobody's tree")
    endif()
    if(NOT begin AND line MATCHES "^(  |)[A-Za-z~].*\\)( const)?( noexcept)?( override)?( -> .*)? {$")
      set(begin ${number})
      set(indent "${CMAKE_MATCH_1}")
    elseif(begin AND line MATCHES "^${indent}}")
      math(EXPR length "${number} - ${begin} + 1")
      if(length GREATER function_lines_max)
        violation("${file}:${begin}: a function of ${length} lines; ${function_lines_max} at most")
      endif()
      set(begin 0)
    endif()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

# A type whose last word is banned. A nested one may be called what its library calls it.
function(check_types file)
  foreach(line IN LISTS lines)
    if(line MATCHES "^(struct|class|enum class) [A-Za-z0-9]*(Manager|Utils?|Helpers?|Common|Misc|Impl|Data|Info|Context)([^A-Za-z0-9]|$)")
      violation("${file}: a type's name ends in ${CMAKE_MATCH_2}; name the thing")
    endif()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

# Simulation replays everything below net/ from a seed; that holds while time, threads and chance come in by the seams.
function(check_determinism file)
  if(NOT file MATCHES "^(base|log|index|store|replay|cluster)/" OR file IN_LIST nondeterministic_anyway)
    return()
  endif()
  set(sources "std::(thread|jthread|async|random_device|this_thread)|(system|steady|high_resolution)_clock")
  string(APPEND sources "|clock_gettime|gettimeofday|std::(time|rand)\\(|getrandom|getentropy")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "//.*" "" code "${line}")
    if(code MATCHES "(${sources})")
      violation("${file}: ${CMAKE_MATCH_1}; below net/ use base/clock.h, base/random.h or the Disk")
    endif()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

file(GLOB folders RELATIVE ${root} ${root}/*)
list(FILTER folders EXCLUDE REGEX "^(build.*|data|docs|\\..*)$")
foreach(folder ${folders})
  file(GLOB_RECURSE files RELATIVE ${root} ${root}/${folder}/*.h ${root}/${folder}/*.cc)
  list(FILTER files EXCLUDE REGEX "node_modules/")
  foreach(file ${files})
    read_lines(${file})
    check_name(${file})
    check_lines(${file})
    check_types(${file})
    check_determinism(${file})
  endforeach()
endforeach()
if(violations)
  message(FATAL_ERROR "Style:\n${violations}")
endif()
