// A recipe, a judge's recipe or a file of phrases of any bytes: it is read, or its mistakes are told. Phrases that are
// read can be filled in.
#include "organism/judge_recipe.h"
#include "organism/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const assay::SourceFile file{"any.yaml", std::string(reinterpret_cast<const char*>(data), size)};
  (void)assay::is_judge_recipe(file);
  {
    assay::Diagnostics diagnostics;
    (void)assay::parse_recipe(file, diagnostics);
    (void)diagnostics.format();
  }
  {
    assay::Diagnostics diagnostics;
    (void)assay::parse_judge_recipe(file, diagnostics);
    (void)diagnostics.format();
  }
  assay::Diagnostics diagnostics;
  const assay::Phrases phrases = assay::parse_phrases(file, {{"threat", false, {"Is it a threat?"}, {}}}, diagnostics);
  (void)diagnostics.format();
  if (!diagnostics.empty()) return 0;
  assay::Rng rng(1);
  for (const assay::PhraseGroup& group : phrases.groups)
    for (const std::string& text : group.texts)
      (void)assay::filled(text, phrases.blanks, assay::VariantPool::all, rng);
  return 0;
}
