# The report page becomes a part of the program: web/page.html, style.css, and the modules below as one, in page.inc.
#
# A module may import by name alone, on one line, from modules above it in this list, and exports declarations; so the
# bundle is the modules without the words `import ...` and `export`. No two of them may declare one name.
set(ASSAY_PAGE_MODULES dom format data figure plots diff episode head conduct twins causes standards truth transcripts
    methods main)

function(assay_bundle_page out)
  set(program "")
  foreach(module IN LISTS ASSAY_PAGE_MODULES)
    file(READ ${CMAKE_SOURCE_DIR}/web/${module}.js text)
    string(REGEX REPLACE "(^|\n)import [^\n]*" "\\1" text "${text}")
    string(REGEX REPLACE "(^|\n)export " "\\1" text "${text}")
    string(APPEND program "${text}")
  endforeach()
  file(READ ${CMAKE_SOURCE_DIR}/web/style.css style)
  file(READ ${CMAKE_SOURCE_DIR}/web/page.html html)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT "constexpr std::string_view page_template = R\"web(${html})web\";
constexpr std::string_view page_style = R\"web(${style})web\";
constexpr std::string_view page_program = R\"web(${program})web\";
")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
endfunction()
