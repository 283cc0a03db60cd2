# Each header compiles alone: target `headers`, built by ./dev lint. A header that its own .cc includes first is compiled
# alone by every build; only the others get a translation unit here.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
     ${PROJECT_SOURCE_DIR}/base/*.h ${PROJECT_SOURCE_DIR}/log/*.h ${PROJECT_SOURCE_DIR}/index/*.h
     ${PROJECT_SOURCE_DIR}/store/*.h ${PROJECT_SOURCE_DIR}/replay/*.h ${PROJECT_SOURCE_DIR}/cluster/*.h
     ${PROJECT_SOURCE_DIR}/net/*.h ${PROJECT_SOURCE_DIR}/tools/*.h ${PROJECT_SOURCE_DIR}/tests/*.h)
list(FILTER headers EXCLUDE REGEX "node_modules/|_inl\\.h$")  # x_inl.h is the end of x.h, which includes it

set(alone "")
foreach(header ${headers})
  string(REGEX REPLACE "\\.h$" ".cc" source ${PROJECT_SOURCE_DIR}/${header})
  set(first "")
  if(EXISTS ${source})
    file(STRINGS ${source} first REGEX "^#include" LIMIT_COUNT 1)
  endif()
  if(NOT first STREQUAL "#include \"${header}\"")
    string(REPLACE "/" "_" name ${header})
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.cc CONTENT "#include \"${header}\"\n")
    list(APPEND alone ${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.cc)
  endif()
endforeach()

add_library(headers OBJECT EXCLUDE_FROM_ALL ${alone})
target_link_libraries(headers PRIVATE minod_tools minod_sim rapidcheck GTest::gtest)
target_compile_definitions(headers PRIVATE MINOD_TEST_DATA="")
