#include "model/gguf/gguf_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <ggml.h>
#include <gguf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <unordered_set>

#include "base/hash.h"
#include "base/text.h"
#include "model/gguf/llama_log.h"

namespace assay {
namespace {

// A whole file as bytes, mapped read-only; unmapped and closed at the end. Opened without waiting, so that a pipe that
// nobody writes to is refused like anything else that is no file.
class Mapped {
 public:
  explicit Mapped(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (file_ < 0) {
      why_ = std::strerror(errno);
      return;
    }
    struct stat info{};
    if (fstat(file_, &info) != 0) {
      why_ = std::strerror(errno);
    } else if (S_ISDIR(info.st_mode)) {
      why_ = "it is a folder";
    } else if (!S_ISREG(info.st_mode)) {
      why_ = "it is not a regular file";
    } else if (info.st_size == 0) {
      why_ = "it is empty";
    } else {
      size_ = static_cast<size_t>(info.st_size);
      data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0);
      if (data_ == MAP_FAILED) why_ = std::strerror(errno);
    }
  }
  ~Mapped() {
    if (data_ != MAP_FAILED) munmap(data_, size_);
    if (file_ >= 0) close(file_);
  }
  Mapped(const Mapped&) = delete;

  const std::string& why() const { return why_; }  // why it could not be read, or ""
  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  int file_ = -1;
  void* data_ = MAP_FAILED;
  size_t size_ = 0;
  std::string why_;
};

struct Free {
  void operator()(gguf_context* gguf) const { gguf_free(gguf); }
  void operator()(ggml_context* tensors) const { ggml_free(tensors); }
};

int64_t find(const gguf_context* gguf, const char* key, gguf_type type) {
  int64_t id = gguf_find_key(gguf, key);
  return id >= 0 && gguf_get_kv_type(gguf, id) == type ? id : -1;
}

// llama.cpp asserts that no two tokens are spelled the same.
bool repeats_a_token(const gguf_context* gguf) {
  int64_t id = find(gguf, "tokenizer.ggml.tokens", GGUF_TYPE_ARRAY);
  if (id < 0 || gguf_get_arr_type(gguf, id) != GGUF_TYPE_STRING) return false;
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0, n = gguf_get_arr_n(gguf, id); i < n; ++i)
    if (!seen.insert(gguf_get_arr_str(gguf, id, i)).second) return true;
  return false;
}

// The head of a file; null where it cannot be read. `tensors`: takes what describes them, if it is wanted.
std::unique_ptr<gguf_context, Free> head_of(std::string_view bytes, ggml_context** tensors) {
  take_llama_error();
  try {
    return std::unique_ptr<gguf_context, Free>(
        gguf_init_from_buffer(bytes.data(), bytes.size(), {.no_alloc = true, .ctx = tensors}));
  } catch (const std::exception&) {
    return nullptr;
  }
}

// Where the last of its tensors ends, in bytes from the file's beginning.
size_t end_of_tensors(const gguf_context* gguf) {
  size_t end = gguf_get_data_offset(gguf);
  for (int64_t i = 0; i < gguf_get_n_tensors(gguf); ++i)
    end = std::max(end, gguf_get_data_offset(gguf) + gguf_get_tensor_offset(gguf, i) + gguf_get_tensor_size(gguf, i));
  return end;
}

// What is wrong with a file that is a GGUF, or "".
std::string fault(const gguf_context* gguf, size_t size) {
  const size_t end = end_of_tensors(gguf);
  const int64_t tensors = gguf_get_n_tensors(gguf);
  if (tensors > 0 && end > size) return fmt::format("is truncated: it has {} of {} bytes.", size, end);

  int64_t parts = find(gguf, "split.count", GGUF_TYPE_UINT16);
  if (parts >= 0 && gguf_get_val_u16(gguf, parts) > 1)
    return "is one part of a split model; join the parts first (llama-gguf-split --merge).";

  int64_t type = find(gguf, "general.type", GGUF_TYPE_STRING);
  if (type >= 0 && std::strcmp(gguf_get_val_str(gguf, type), "model") != 0)
    return fmt::format("is no language model but of type '{}'.",
                       clipped(for_terminal(gguf_get_val_str(gguf, type)), 40));
  if (tensors == 0) return "has no weights: it is a vocabulary without a model.";
  if (repeats_a_token(gguf)) return "is damaged: its vocabulary spells two tokens the same.";
  if (find(gguf, "general.architecture", GGUF_TYPE_STRING) < 0) return "is damaged: it names no architecture.";
  std::string architecture = gguf_get_val_str(gguf, gguf_find_key(gguf, "general.architecture"));
  if (gguf_find_key(gguf, (architecture + ".pooling_type").c_str()) >= 0)
    return "makes embeddings; assay needs a model that writes text.";
  if (find(gguf, "tokenizer.chat_template", GGUF_TYPE_STRING) < 0)
    return "has no chat template; assay needs an instruction-tuned model that carries its own.";
  return "";
}

}  // namespace

std::string name_of_file(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<GgufFile> check_gguf(const std::string& path) {
  capture_llama_log();
  const std::string shown = for_terminal(path);
  Mapped file(path);
  if (!file.why().empty()) return Error{fmt::format("gguf:{}: cannot be read: {}.", shown, file.why())};
  if (!file.bytes().starts_with(GGUF_MAGIC)) return Error{fmt::format("gguf:{} is not a GGUF file.", shown)};

  ggml_context* tensors = nullptr;
  const auto gguf = head_of(file.bytes(), &tensors);
  std::unique_ptr<ggml_context, Free> owner(tensors);
  if (!gguf) {
    std::string why = take_llama_error();
    return Error{fmt::format("gguf:{} is truncated or damaged{}.", shown, why.empty() ? "" : " (" + why + ")")};
  }
  if (std::string why = fault(gguf.get(), file.bytes().size()); !why.empty())
    return Error{fmt::format("gguf:{} {}", shown, why)};

  return GgufFile{name_of_file(path), sha256(file.bytes())};
}

Result<GgufFile> check_adapter(const std::string& path) {
  auto refuse = [&](const std::string& why) { return Error{fmt::format("lora={}: {}.", for_terminal(path), why)}; };
  capture_llama_log();
  Mapped file(path);
  if (!file.why().empty()) return refuse("it cannot be read: " + file.why());
  if (!file.bytes().starts_with(GGUF_MAGIC)) return refuse("it is not a GGUF file");
  const auto gguf = head_of(file.bytes(), nullptr);
  if (!gguf) return refuse("it is truncated or damaged");
  const int64_t type = find(gguf.get(), "general.type", GGUF_TYPE_STRING);
  if (type < 0 || std::string_view(gguf_get_val_str(gguf.get(), type)) != "adapter")
    return refuse("it is no adapter (its general.type is not 'adapter')");
  if (gguf_get_n_tensors(gguf.get()) > 0 && end_of_tensors(gguf.get()) > file.bytes().size())
    return refuse("it is truncated");
  return GgufFile{name_of_file(path), sha256(file.bytes())};
}

}  // namespace assay
