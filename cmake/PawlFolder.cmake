# One library a folder. pawl_folder(NAME [OUTER] DEPENDS folders... LIBRARIES externals...)
#   src/NAME/*.cc            -> library pawl_NAME
#   src/NAME/*_test.cc       -> executable NAME_test, one CTest entry
#   src/NAME/*_fuzz.cc       -> one libFuzzer target each, with -DPAWL_FUZZ=ON
# OUTER: it talks to what is outside. Such folders are half of what there is to compile and wait most of the time, so builds
# with sanitizers don't optimise them.
# DEPENDS is the whole truth about which folders NAME may include: the layering test reads it.
include(GoogleTest)
include(${CMAKE_CURRENT_LIST_DIR}/PawlTogether.cmake)

# Headers of libraries are most of what the compiler reads, so it reads them once: pawl_precompile(NAME HEADERS headers...
# [LIBRARIES externals...] [OPTIONS options...]) does it, pawl_use_precompiled(TARGET NAME) puts them before each source of a target. Sources include
# what they need all the same: clang-tidy knows of no precompiled header.
function(pawl_precompile name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LIBRARIES;OPTIONS" ${ARGN})
  if(NOT PAWL_PRECOMPILE)
    return()
  endif()
  set(dir ${PROJECT_SOURCE_DIR}/cmake/precompiled)
  list(TRANSFORM ARG_HEADERS PREPEND ${dir}/)
  add_library(pawl_precompiled_${name} OBJECT ${dir}/once.cc)
  target_link_libraries(pawl_precompiled_${name} PRIVATE fmt::fmt ${ARG_LIBRARIES})
  target_precompile_headers(pawl_precompiled_${name} PRIVATE ${ARG_HEADERS})
  # For ccache (its manual, "Precompiled headers").
  target_compile_options(pawl_precompiled_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
                         "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>" ${ARG_OPTIONS})
endfunction()
function(pawl_use_precompiled target name)
  if(TARGET pawl_precompiled_${name})
    target_precompile_headers(${target} REUSE_FROM pawl_precompiled_${name})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # g++ 12's false alarms about std::string (CMakeLists.txt) reach further where it does not see that a header is a system's.
      target_compile_options(${target} PRIVATE -fpch-preprocess -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
    else()
      target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
endfunction()

# Of libraries libFuzzer is told where they go; tests link them as well, and are not watched themselves.
set(pawl_coverage "")
if(PAWL_FUZZ)
  set(pawl_coverage -fsanitize=fuzzer-no-link)
endif()

set_property(GLOBAL PROPERTY PAWL_LAYERS "")

function(pawl_folder name)
  cmake_parse_arguments(ARG "OUTER" "" "DEPENDS;LIBRARIES;TEST_DEPENDS;TEST_LIBRARIES" ${ARGN})
  set(dir ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.cc)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${dir}/*_fuzz.cc)
  list(REMOVE_ITEM sources ${tests} ${fuzzers} ${dir}/main.cc)

  list(TRANSFORM ARG_DEPENDS PREPEND pawl_ OUTPUT_VARIABLE depends)
  if(sources)
    pawl_together(together pawl_${name} 8 ${sources})
    add_library(pawl_${name} STATIC ${together})
    target_compile_options(pawl_${name} PRIVATE ${pawl_coverage})
    target_include_directories(pawl_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(pawl_${name} PUBLIC ${depends} ${ARG_LIBRARIES} Threads::Threads)
    # Stages: those with a port to the world, and items.
    if(ARG_OUTER AND PAWL_SANITIZE)
      target_compile_options(pawl_${name} PRIVATE -O0)
      pawl_use_precompiled(pawl_${name} outer)
    elseif("port" IN_LIST ARG_DEPENDS AND "item" IN_LIST ARG_DEPENDS)
      pawl_use_precompiled(pawl_${name} stages)
    else()
      pawl_use_precompiled(pawl_${name} library)
    endif()
  else()
    add_library(pawl_${name} INTERFACE)
    target_include_directories(pawl_${name} INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(pawl_${name} INTERFACE ${depends} ${ARG_LIBRARIES} Threads::Threads)
  endif()
  string(REPLACE ";" "," depends_text "${ARG_DEPENDS}")
  string(REPLACE ";" "," test_depends_text "${ARG_TEST_DEPENDS}")
  set_property(GLOBAL APPEND PROPERTY PAWL_LAYERS "${name}:${depends_text}:${test_depends_text}")

  list(TRANSFORM ARG_TEST_DEPENDS PREPEND pawl_ OUTPUT_VARIABLE test_depends)
  if(PAWL_TESTS AND tests)
    pawl_test_program(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE pawl_${name} ${test_depends} ${ARG_TEST_LIBRARIES})
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
  if(PAWL_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE pawl_${name} ${test_depends} -fsanitize=fuzzer)
      target_compile_options(${target} PRIVATE ${pawl_coverage})
    endforeach()
  endif()
endfunction()

# Tests are two thirds of what a build compiles. What they test is optimised as ever, and so are those that visit millions of
# states: these come first, for of an inline function that both have the linker takes the first.
function(pawl_test_program target)
  set(tests ${ARGN})
  set(heavy ${ARGN})
  list(FILTER tests EXCLUDE REGEX "(exploration|simulation)[a-z_]*_test.cc$")
  list(FILTER heavy INCLUDE REGEX "(exploration|simulation)[a-z_]*_test.cc$")
  set(objects "")
  if(heavy)
    pawl_together(together ${target}_heavy 4 ${heavy})
    add_library(${target}_heavy OBJECT ${together})
    target_link_libraries(${target}_heavy PRIVATE
                          $<TARGET_PROPERTY:${target},LINK_LIBRARIES>)
    set(objects $<TARGET_OBJECTS:${target}_heavy>)
  endif()
  pawl_together(together ${target} 12 ${tests})
  add_executable(${target} ${objects} ${together})
  target_link_libraries(${target} PRIVATE rapidcheck GTest::gmock GTest::gtest_main)
  target_compile_options(${target} PRIVATE -O0)
  pawl_use_precompiled(${target} tests)
endfunction()

# Writes the declared layers where tests/layering reads them.
function(pawl_write_layers)
  get_property(layers GLOBAL PROPERTY PAWL_LAYERS)
  list(JOIN layers "\n" text)
  file(WRITE ${CMAKE_BINARY_DIR}/layers.txt "${text}\n")
endfunction()
