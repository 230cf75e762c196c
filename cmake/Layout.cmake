# The layout's one rule, kept by CMake at configure time: a folder of src/ may include only itself and folders above it
# in this list.
set(ASSAY_ROOMS base chat logprobs stats world scenario store model run grade prove search probe organism skill report cli)

# Fails the configuration where a file of src/ROOM includes a room that is not in ARGN (its declared dependencies).
function(assay_check_includes room)
  list(FIND ASSAY_ROOMS ${room} place)
  if(place EQUAL -1)
    message(FATAL_ERROR "src/${room} is not a room of the layout (cmake/Layout.cmake lists them)")
  endif()
  foreach(dependency IN LISTS ARGN)
    list(FIND ASSAY_ROOMS ${dependency} other)
    if(other EQUAL -1 OR NOT other LESS place)
      message(FATAL_ERROR "src/${room} may not depend on src/${dependency}: only on rooms above it in cmake/Layout.cmake")
    endif()
  endforeach()
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.h ${CMAKE_SOURCE_DIR}/src/${room}/*.cpp)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  foreach(file IN LISTS files)
    file(STRINGS ${file} lines REGEX "^#include \"[a-z_]+/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"([a-z_]+)/.*" "\\1" included "${line}")
      if(included IN_LIST ASSAY_ROOMS AND NOT included STREQUAL room AND NOT included IN_LIST ARGN)
        file(RELATIVE_PATH where ${CMAKE_SOURCE_DIR} ${file})
        message(FATAL_ERROR "${where} includes ${included}/, which is not among the rooms that src/${room} depends on (${ARGN})")
      endif()
    endforeach()
  endforeach()
endfunction()

# assay_library(ROOM DEPENDS rooms... LINK targets...): the library assay_ROOM from src/ROOM (folders inside it too), and,
# where there are *_test.cpp files, the test program ROOM_test.
function(assay_library room)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  assay_check_includes(${room} ${ARG_DEPENDS})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.h)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|main)\\.cpp$")  # NAME_main.cpp is a program of its own
  list(TRANSFORM ARG_DEPENDS PREPEND assay_)

  if(sources)
    add_library(assay_${room} STATIC ${sources} ${headers})
    set(access PUBLIC)
  else()
    add_library(assay_${room} INTERFACE)
    set(access INTERFACE)
  endif()
  target_include_directories(assay_${room} ${access} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(assay_${room} ${access} ${ARG_DEPENDS} ${ARG_LINK})

  if(tests AND NOT ASSAY_FUZZ)
    add_executable(${room}_test ${tests})
    target_link_libraries(${room}_test PRIVATE assay_${room} GTest::gmock GTest::gtest_main)
    # Tests run in the root of the tree, where the shipped suites are.
    gtest_discover_tests(${room}_test TEST_PREFIX ${room}/ DISCOVERY_TIMEOUT 60 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
endfunction()
