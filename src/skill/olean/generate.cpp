#include "skill/olean/generate.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <unordered_set>

#include "skill/olean/hash.h"
#include "skill/olean/words.h"
#include "skill/olean/writer.h"

namespace assay::olean {
namespace {

// splitmix64 (Steele, Lea and Flood 2014); the standard library's distributions differ between compilers.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint64_t below(uint64_t n) { return static_cast<uint64_t>(static_cast<unsigned __int128>(next()) * n >> 64); }
  bool one_in(uint64_t n) { return below(n) == 0; }
  template <class T, size_t N>
  const T& of(const T (&choices)[N]) {
    return choices[below(N)];
  }

 private:
  uint64_t state_;
};

constexpr std::string_view ordinary[] = {
    "add",  "mul",   "comm",  "assoc", "zero",  "succ",   "rec",         "casesOn",    "mk",     "map",
    "bind", "List",  "Nat",   "Fin",   "Monad", "simp",   "lemma",       "fold",       "append", "size",
    "get",  "set",   "toNat", "ofNat", "inj",   "ext",    "Tree",        "Heap",       "proof",  "step",
    "eval", "value", "term",  "type",  "below", "brecOn", "noConfusion", "sizeOf_spec"};
constexpr std::string_view strange[] = {
    "term_+_", "«",    "a»b",   "two words",   "λx",  "α",  "h₁",    "x'",    "é",     "Überbau",
    "ℕ",       "𝒜",    "mem_∈", "back\\slash", "a.b", "",   "1st",   "done?", "get!",  "tacticTry__",
    "[_//_]",  "_aux", "日本",  "a\"b",        "Σ'",  "x✝", "#eval", "?m",    "rfl_σ", "naïve"};
constexpr std::string_view endings[] = {"_cstage1", "_cstage2", "_rarg",   "_unsafe_rec",
                                        "match_1",  "eq_1",     "proof_3", "_lambda_2"};

struct Made {
  uint64_t word = Writer::anonymous;
  std::vector<MadeConstant::Part> parts;
};

class Generator {
 public:
  explicit Generator(const MakeOptions& options)
      : options_(options), random_(mixed(options.seed, options.constants)), file_(writer_options(options)) {}

  MadeModule make() {
    MadeModule module;
    make_names();
    const bool three = options_.parts == 3;
    if (three) {
      // Exported and for the language server: what others may see, bodies hidden. Private: everything.
      std::vector<size_t> seen, hidden;
      for (size_t i = 0; i < names_.size(); ++i) (random_.one_in(3) ? hidden : seen).push_back(i);
      add_part(module, seen, true);
      for (size_t i = 0; i < hidden.size(); i += 3) seen.push_back(hidden[i]);
      add_part(module, seen, true);
    }
    std::vector<size_t> all(names_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    if (three) std::reverse(all.begin(), all.end());
    add_part(module, all, false);
    return module;
  }

 private:
  static WriterOptions writer_options(const MakeOptions& options) {
    static constexpr std::string_view versions[] = {"4.14.0", "4.16.0-rc2", "4.18.0", "4.24.0", "4.29.1", "4.30.0-rc2"};
    Random random(options.seed ^ 0x76657273);
    WriterOptions out;
    out.version = options.version;
    out.lean_version = options.parts == 3     ? "4.25.0-rc2"
                       : options.version == 3 ? "4.33.0"
                                              : std::string(random.of(versions));
    out.git_hash.clear();
    for (int i = 0; i < 40; ++i) out.git_hash += "0123456789abcdef"[random.below(16)];
    out.gmp = options.gmp;
    out.base = base_of_module(module_name_hash(options.module_name));
    return out;
  }

  // --- names -----------------------------------------------------------------------------------------------------

  Made with(const Made& prefix, std::string_view text) {
    Made out = prefix;
    out.parts.push_back({std::string(text), false});
    out.word = file_.name(prefix.word, text);
    return out;
  }

  Made with_number(const Made& prefix, const std::vector<uint64_t>& limbs) {
    Made out = prefix;
    out.parts.push_back({decimal_of(limbs), true});
    out.word = file_.name(prefix.word, limbs);
    return out;
  }

  // The generator's own way to decimal digits, by the hand's method: the reader's is tested against it.
  static std::string decimal_of(const std::vector<uint64_t>& limbs) {
    std::string digits = "0";  // the lowest first
    for (size_t bit = limbs.size() * 64; bit-- > 0;) {
      int carry = static_cast<int>(limbs[bit / 64] >> (bit % 64) & 1);
      for (char& digit : digits) {
        const int doubled = (digit - '0') * 2 + carry;
        digit = static_cast<char>('0' + doubled % 10);
        carry = doubled / 10;
      }
      if (carry) digits += '1';
    }
    std::reverse(digits.begin(), digits.end());
    return digits;
  }

  std::vector<uint64_t> number() {
    if (random_.one_in(40)) return {random_.next() | uint64_t{1} << 63};  // one limb, no scalar
    if (random_.one_in(60)) return {random_.next(), random_.next() >> random_.below(64), random_.next() >> 31 | 1};
    if (random_.one_in(3)) return {random_.below(uint64_t{1} << 32)};
    return {random_.below(1000)};
  }

  std::string component() {
    if (random_.one_in(12)) return std::string(random_.of(strange));
    std::string out(random_.of(ordinary));
    if (random_.one_in(2)) (out += '_') += random_.of(ordinary);
    if (random_.one_in(3)) out += words(random_.below(1000));
    return out;
  }

  Made with_a_number(const Made& prefix) { return with_number(prefix, number()); }

  Made made_up() {
    // New namespaces now and then, mostly old ones: so the file shares what it can.
    Made prefix = namespaces_[random_.below(namespaces_.size())];
    if (random_.one_in(8) && prefix.parts.size() < 12) {
      prefix = with(prefix, component());
      namespaces_.push_back(prefix);
    }
    switch (random_.below(24)) {
      case 0: {
        const Made inner = with_a_number(with(private_, component()));
        return with(inner, component());
      }
      case 1: return with_a_number(with(with(with(prefix, component()), "_@"), "_hyg"));
      case 2: {
        const Made inner = with(prefix, component());
        return with(inner, random_.of(endings));
      }
      case 3: return with_a_number(prefix);
      default: return with(prefix, component());
    }
  }

  void make_names() {
    const Made root;
    Made module = root;
    for (size_t begin = 0; begin <= options_.module_name.size();) {
      const size_t end = std::min(options_.module_name.find('.', begin), options_.module_name.size());
      module = with(module, std::string_view(options_.module_name).substr(begin, end - begin));
      begin = end + 1;
    }
    import_ = with(with(root, "Init"), "Prelude").word;
    private_ = with(root, "_private");
    for (const MadeConstant::Part& part : module.parts) private_ = with(private_, part.text);
    private_ = with_number(private_, {0});
    namespaces_ = {root, module};
    std::unordered_set<uint64_t> taken;
    while (names_.size() < options_.constants) {
      Made name = made_up();
      while (!taken.insert(name.word).second) name = with(name, words("u", names_.size()));
      names_.push_back(name.word);
      if (options_.tell) told_.push_back(name.parts);
      if (random_.one_in(20)) namespaces_.push_back(std::move(name));  // a type's name is a namespace, too
    }
  }

  // --- expressions -----------------------------------------------------------------------------------------------

  // A constructor with 8 bytes of hash and flags behind its fields, and `more` after them.
  uint64_t node(uint8_t tag, std::initializer_list<uint64_t> fields, std::string_view more = {}) {
    std::array<char, 16> scalars{};
    const uint64_t data = random_.next();
    std::memcpy(scalars.data(), &data, 8);
    more.copy(scalars.data() + 8, 8);
    return file_.constructor(tag, fields, {scalars.data(), 8 + more.size()});
  }

  uint64_t some_name() { return names_.empty() ? import_ : names_[random_.below(names_.size())]; }

  uint64_t level() {
    const uint64_t zero = Writer::scalar(0);
    const uint64_t param = node(4, {some_name()});              // Level.param
    return random_.one_in(2) ? node(2, {param, zero}) : param;  // Level.max
  }

  uint64_t list(std::initializer_list<uint64_t> elements) {
    uint64_t out = Writer::scalar(0);
    for (size_t i = elements.size(); i-- > 0;) out = file_.constructor(1, {elements.begin()[i], out});
    return out;
  }

  uint64_t recent() { return recent_[random_.below(recent_.size())]; }

  // One more expression, over those made last. Constructors in the order of Lean's Expr.
  uint64_t expression() {
    uint64_t out = 0;
    switch (random_.below(20)) {
      case 0: out = node(0, {Writer::scalar(random_.below(8))}); break;  // bvar
      case 1: out = node(3, {level()}); break;                           // sort
      case 2:
      case 3:
      case 4: out = node(4, {some_name(), Writer::scalar(0)}); break;  // const
      case 5: out = node(4, {some_name(), list({level()})}); break;
      case 6:
      case 7: out = node(6, {some_name(), recent(), recent()}, std::string_view("\0", 1)); break;            // lam
      case 8: out = node(7, {some_name(), recent(), recent()}, std::string_view("\1", 1)); break;            // forallE
      case 9: out = node(8, {some_name(), recent(), recent(), recent()}, std::string_view("\0", 1)); break;  // letE
      case 10: {  // lit: a Literal.natVal, or a strVal
        const uint64_t literal = random_.one_in(2) ? file_.constructor(0, {file_.natural(number())})
                                                   : file_.constructor(1, {file_.string(component())});
        out = node(9, {literal});
        break;
      }
      case 11: out = node(11, {some_name(), Writer::scalar(random_.below(4)), recent()}); break;  // proj
      default: out = node(5, {recent(), recent()}); break;                                        // app
    }
    recent_[next_recent_++ % recent_.size()] = out;
    return out;
  }

  // --- declarations ----------------------------------------------------------------------------------------------

  Kind kind() {
    static constexpr Kind often[] = {Kind::def, Kind::def, Kind::def, Kind::theorem, Kind::theorem, Kind::def};
    return random_.one_in(3) ? static_cast<Kind>(random_.below(kind_count)) : random_.of(often);
  }

  uint64_t hints() {
    switch (random_.below(3)) {
      case 0: return Writer::scalar(0);  // opaque
      case 1: return Writer::scalar(1);  // abbrev
      default: return file_.constructor(2, {}, std::string_view("\7\0\0\0", 4));
    }
  }

  uint64_t constant(Kind kind, uint64_t name) {
    const uint64_t begin = file_.size();
    const uint64_t names_own = 76;  // bytes that a name has in the file, with its text
    uint64_t type = expression(), value = expression();
    while (file_.size() - begin + names_own + 96 < options_.bytes_each) {
      type = value;
      value = expression();
    }
    const uint64_t common = file_.constructor(0, {name, Writer::scalar(0), type}), n = Writer::scalar(random_.below(5));
    static constexpr char quot_kinds[] = {0, 1, 2, 3};
    const std::string_view no("\0", 1), safe("\1", 1), three("\0\0\1", 3);
    uint64_t val = 0;
    switch (kind) {
      case Kind::axiom: val = file_.constructor(0, {common}, no); break;
      case Kind::def: val = file_.constructor(0, {common, value, hints(), list({name})}, safe); break;
      case Kind::theorem: val = file_.constructor(0, {common, value, list({name})}); break;
      case Kind::opaque: val = file_.constructor(0, {common, value, list({name})}, no); break;
      case Kind::quot: val = file_.constructor(0, {common}, std::string_view(quot_kinds + random_.below(4), 1)); break;
      case Kind::inductive:
        val = file_.constructor(0, {common, n, n, list({name}), list({some_name()}), n}, three);
        break;
      case Kind::ctor: val = file_.constructor(0, {common, some_name(), n, n, n}, no); break;
      case Kind::recursor:
        val = file_.constructor(0, {common, list({name}), n, n, n, n, Writer::scalar(0)}, std::string_view("\1\0", 2));
        break;
    }
    return file_.constructor(static_cast<uint8_t>(kind), {val});
  }

  uint64_t one_entry() {
    static constexpr std::string_view extensions[] = {"declRangeExt", "namespacesExt", "simpExtension", "docStringExt",
                                                      "regularInitAttr"};
    const uint64_t name = file_.name(file_.name(Writer::anonymous, "Lean"), random_.of(extensions));
    const uint64_t odd[] = {file_.bytes("bytes of a ByteArray"),
                            file_.bytes(std::string_view("\0\0\0\0\0\0\xf0\x3f", 8), 8),
                            file_.thunk(recent()),
                            file_.task(name),
                            file_.ref(recent()),
                            Writer::scalar(random_.next() >> 2)};
    return file_.constructor(0, {name, file_.array({odd[random_.below(6)], name, file_.promise(name)})});
  }

  // A part with the names of `chosen`, in that order. `hidden`: bodies are not to be seen, so that all is an axiom.
  void add_part(MadeModule& module, const std::vector<size_t>& chosen, bool hidden) {
    const bool of_modules = options_.parts == 3;
    const std::string_view marks = of_modules ? std::string_view("\0\1\0", 3) : std::string_view("\0", 1);
    const uint64_t imports = file_.array({file_.constructor(0, {import_}, marks)});
    std::vector<uint64_t> names, constants;
    std::vector<MadeConstant> told;
    for (const size_t i : chosen) names.push_back(names_[i]);
    const uint64_t all_names = options_.fields == 3 ? Writer::scalar(0) : file_.array(names);
    recent_.fill(node(3, {Writer::scalar(0)}));
    for (const size_t i : chosen) {
      const Kind of_it = hidden ? Kind::axiom : kind();
      constants.push_back(constant(of_it, names_[i]));
      if (options_.tell) told.push_back({of_it, told_[i]});
    }
    const uint64_t all_constants = file_.array(constants);
    const uint64_t extra = file_.array({file_.name(some_name(), "_boxed")});
    std::vector<uint64_t> entries;
    for (int i = 0; i < 5; ++i) entries.push_back(one_entry());
    const uint64_t all_entries = file_.array(entries);
    uint64_t root = 0;
    switch (options_.fields) {
      case 3: root = file_.constructor(0, {imports, all_constants, all_entries}); break;
      case 4: root = file_.constructor(0, {imports, all_names, all_constants, all_entries}); break;
      default:
        root = file_.constructor(0, {imports, all_names, all_constants, extra, all_entries},
                                 of_modules ? std::string_view("\1", 1) : std::string_view());
    }
    module.files.push_back(file_.finish(root));
    if (options_.tell) module.constants.push_back(std::move(told));
  }

  const MakeOptions options_;
  Random random_;
  Writer file_;
  uint64_t import_ = 0;
  Made private_;
  std::vector<Made> namespaces_;
  std::vector<uint64_t> names_;
  std::vector<std::vector<MadeConstant::Part>> told_;
  std::array<uint64_t, 16> recent_{};
  size_t next_recent_ = 0;
};

}  // namespace

MadeModule make_module(const MakeOptions& options) {
  assert(options.parts == 1 || (options.parts == 3 && options.version >= 2 && options.fields == 5));
  return Generator(options).make();
}

}  // namespace assay::olean
