// The report page as one HTML file: template, style, program and data joined.
//
// Nothing in it can be executed or fetched but what web/ wrote: the page's own content security policy admits the one
// style and the one script by their hashes, no network, and no way from a text to HTML (trusted types).
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "report/page.h"

namespace assay {

// What web/ holds. `html` has the places {{title}}, {{policy}}, {{style}}, {{program}}, {{data}} and {{words}}; style
// and program hold no `</style` and no `</script`.
struct PageSources {
  std::string_view html, style, program;
};

std::string page_html(const PageSources& sources, const Page& page);

// JSON on one line that may stand inside <script type="application/json">: without `<`, so that no text can end it.
// Bytes that are not UTF-8 become U+FFFD.
std::string for_script(const Json& json);

}  // namespace assay
