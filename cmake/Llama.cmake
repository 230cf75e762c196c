# llama.cpp as imported targets: llama::common (with llama and ggml), llama::json (nlohmann/json), llama::hash.
# scripts/llama.sh builds it once per machine, outside this tree, and says where.
set(llama_options)
if(ASSAY_SANITIZE MATCHES "thread")
  list(APPEND llama_options --openmp OFF)  # libgomp is not built for ThreadSanitizer
endif()
if(ASSAY_LLAMA_DIR)
  list(APPEND llama_options --source ${ASSAY_LLAMA_DIR})
endif()
execute_process(
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/llama.sh ${llama_options}
  OUTPUT_VARIABLE LLAMA_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE llama_failed)
if(llama_failed)
  message(FATAL_ERROR "llama.cpp could not be built; what it said stands above")
endif()
message(STATUS "llama.cpp: ${LLAMA_PREFIX}")

find_package(Threads REQUIRED)
add_library(llama::json INTERFACE IMPORTED)
target_include_directories(llama::json SYSTEM INTERFACE ${LLAMA_PREFIX}/include)
add_library(llama::hash STATIC IMPORTED)
set_target_properties(llama::hash PROPERTIES IMPORTED_LOCATION ${LLAMA_PREFIX}/lib/libvendor-hash.a)
target_include_directories(llama::hash SYSTEM INTERFACE ${LLAMA_PREFIX}/include)

add_library(llama::common INTERFACE IMPORTED)
target_include_directories(llama::common SYSTEM INTERFACE ${LLAMA_PREFIX}/include ${LLAMA_PREFIX}/include/common)
set(llama_archives)
foreach(name llama-common llama-common-base cpp-httplib llama ggml ggml-cpu ggml-base vendor-hash)
  foreach(candidate ${LLAMA_PREFIX}/lib/lib${name}.a)
    if(EXISTS ${candidate})
      list(APPEND llama_archives ${candidate})
    endif()
  endforeach()
endforeach()
target_link_libraries(llama::common INTERFACE -Wl,--start-group ${llama_archives} -Wl,--end-group Threads::Threads ${CMAKE_DL_LIBS})
if(NOT ASSAY_SANITIZE MATCHES "thread")
  find_library(GOMP NAMES gomp libgomp.so.1 REQUIRED)  # only to link: our own code uses no OpenMP, and clang brings another
  target_link_libraries(llama::common INTERFACE ${GOMP})
endif()
