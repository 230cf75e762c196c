// A template of any bytes is refused, or renders within its limits.
#include "scenario/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  assay::TemplateNames names;
  names.values = {"company", "chief"};
  names.fields["chief"] = {"name"};
  names.functions = {"slug"};
  names.levels = {"threat"};
  assay::Diagnostics diagnostics;
  assay::Template compiled =
      assay::Template::compile(std::string(reinterpret_cast<const char*>(data), size), {}, names, diagnostics);
  (void)diagnostics.format();
  if (!diagnostics.empty()) return 0;
  assay::TemplateContext context;
  context.set("company", "Halden");
  context.set("chief", {{"name", "Ruth"}});
  context.set("level", {{"threat", "none"}});
  context.set_function(
      "slug", [](const std::vector<assay::Json>& arguments) -> assay::Result<assay::Json> { return arguments.at(0); });
  assay::Result<std::string> text = compiled.render(context);
  if (text && text->size() > assay::TemplateLimits{}.output_bytes) __builtin_trap();
  return 0;
}
