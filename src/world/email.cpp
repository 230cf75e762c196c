#include "world/email.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "world/arguments.h"

namespace assay {
namespace {

constexpr size_t most_recipients = 100;

// --- Addresses ---

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// A valid e-mail address as the WHATWG HTML standard says for <input type=email>: no quoted local parts, no address
// literals, a domain of letters, digits and inner hyphens.
bool is_address(std::string_view text) {
  size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos || text.size() > 254) return false;
  auto allowed = [](char c) {
    return is_alphanumeric(c) || std::string_view(".!#$%&'*+/=?^_`{|}~-").find(c) != std::string_view::npos;
  };
  if (!std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), allowed)) return false;
  for (const std::string& label : split(text.substr(at + 1), '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-'; })) return false;
  }
  return true;
}

// The address in `Name <address>` or `address`; nothing if there is none.
std::optional<std::string> address_in(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with('>')) {
    size_t open = text.rfind('<');
    if (open == std::string_view::npos) return std::nullopt;
    text = trimmed(text.substr(open + 1, text.size() - open - 2));
  }
  return is_address(text) ? std::optional<std::string>(text) : std::nullopt;
}

// The parts between commas; a comma inside a quoted name ("Aldane, Ruth" <...>) separates nothing.
std::vector<std::string_view> between_commas(std::string_view list) {
  std::vector<std::string_view> parts;
  size_t start = 0;
  bool in_quotes = false;
  for (size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size() && list[i] == '"') in_quotes = !in_quotes;
    if (i < list.size() && (list[i] != ',' || in_quotes)) continue;
    parts.push_back(trimmed(list.substr(start, i - start)));
    start = i + 1;
  }
  return parts;
}

Result<std::vector<std::string>> recipients(const std::string& list) {
  std::vector<std::string> found;
  for (std::string_view part : between_commas(list)) {
    if (part.empty()) continue;
    std::optional<std::string> address = address_in(part);
    if (!address) return Error{quoted(std::string(part)) + " is not an e-mail address"};
    auto same = [&](const std::string& other) { return folded(other) == folded(*address); };
    if (std::any_of(found.begin(), found.end(), same)) continue;
    if (found.size() == most_recipients) return Error{fmt::format("more than {} recipients", most_recipients)};
    found.push_back(std::move(*address));
  }
  if (found.empty()) return Error{"no recipient; 'to' is empty"};
  return found;
}

// --- Messages ---

// A header is one line, whatever a model writes into it.
std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return std::string(trimmed(text));
}

// "Re: Lunch" from "Lunch" and from "re: Lunch".
std::string with_prefix(std::string_view prefix, const std::string& subject) {
  if (folded(subject).starts_with(folded(prefix))) return subject;
  return std::string(prefix) + " " + subject;
}

// "Subject: Lunch\n", or nothing where the message has no such header.
std::string header(const char* name, const std::string& value) {
  return value.empty() ? "" : fmt::format("{}: {}\n", name, value);
}

std::string headers(const Mail& mail) {
  return header("From", mail.from) + header("To", mail.to) + header("Subject", mail.subject) +
         header("Date", mail.date);
}

Json to_json(const Mail& mail) {
  return {{"id", mail.id},           {"from", mail.from}, {"to", mail.to},
          {"subject", mail.subject}, {"date", mail.date}, {"body", mail.body}};
}

Json to_json(const std::vector<Mail>& mails) {
  Json list = Json::array();
  for (const Mail& mail : mails) list.push_back(to_json(mail));
  return list;
}

// --- Tools ---

ToolSpec tool(std::string name, std::string description, Json properties, Json required) {
  return {std::move(name),
          std::move(description),
          {{"type", "object"},
           {"properties", std::move(properties)},
           {"required", std::move(required)},
           {"additionalProperties", false}}};
}

std::vector<ToolSpec> make_tools() {
  const Json none = Json::object(), nothing = Json::array();
  const Json integer = {{"type", "integer"}}, text = {{"type", "string"}};
  // A list is accepted too (with_addresses_joined), but the schema names one type: chat templates print it as a word.
  const Json addresses = {{"type", "string"}, {"description", "Addresses, separated by commas."}};
  const Json id = {{"id", integer}};
  return {
      tool("email_list", "List the messages in the inbox.", none, nothing),
      tool("email_read", "Read a message.", id, {"id"}),
      tool("email_send", "Send a new message.", {{"to", addresses}, {"subject", text}, {"body", text}},
           {"to", "subject", "body"}),
      tool("email_reply", "Reply to the sender of a message.", {{"id", integer}, {"body", text}}, {"id", "body"}),
      tool("email_forward", "Forward a message.", {{"id", integer}, {"to", addresses}, {"body", text}}, {"id", "to"}),
      tool("email_delete", "Delete a message.", id, {"id"}),
      tool("email_contacts", "List the address book.", none, nothing),
  };
}

ToolOutcome refused(const std::string& why) { return {false, Json::object(), "error: " + why}; }

class EmailWorld final : public World {
 public:
  explicit EmailWorld(EmailSetup setup) : setup_(std::move(setup)) {
    for (Mail& mail : setup_.inbox)
      if (mail.to.empty()) mail.to = setup_.me;
  }

  const std::vector<ToolSpec>& tools() const override { return email_tools(); }
  ToolOutcome call(const ToolCall& call) override;
  Json state() const override;

 private:
  // One for each tool, in the order of email_tools(). The arguments have been checked.
  ToolOutcome list(const Json& arguments);
  ToolOutcome read(const Json& arguments);
  ToolOutcome send(const Json& arguments);
  ToolOutcome reply(const Json& arguments);
  ToolOutcome forward(const Json& arguments);
  ToolOutcome remove(const Json& arguments);
  ToolOutcome contacts(const Json& arguments);

  std::vector<Mail>::iterator find(const Json& arguments);  // end of the inbox if there is no such message
  ToolOutcome no_such_message(const Json& arguments) const;
  ToolOutcome post(const std::vector<std::string>& to, const std::string& subject, const std::string& body);

  EmailSetup setup_;  // its inbox is the inbox as it is now
  Json sent_ = Json::array();
  std::vector<Mail> deleted_;
};

// A list of addresses as one string, which is what the schema says; anything else as it is, for the schema to judge.
Json with_addresses_joined(Json arguments) {
  if (!arguments.is_object() || !arguments.contains("to") || !arguments["to"].is_array()) return arguments;
  std::vector<std::string> parts;
  for (const Json& part : arguments["to"]) {
    if (!part.is_string()) return arguments;
    parts.push_back(part);
  }
  arguments["to"] = joined(parts, ", ");
  return arguments;
}

ToolOutcome EmailWorld::call(const ToolCall& call) {
  using Handler = ToolOutcome (EmailWorld::*)(const Json&);
  static constexpr Handler handlers[] = {&EmailWorld::list,    &EmailWorld::read,    &EmailWorld::send,
                                         &EmailWorld::reply,   &EmailWorld::forward, &EmailWorld::remove,
                                         &EmailWorld::contacts};
  for (size_t i = 0; i < tools().size(); ++i) {
    if (tools()[i].name != call.name) continue;
    Result<Json> arguments = checked_arguments(tools()[i], with_addresses_joined(call.arguments));
    if (!arguments) return refused(arguments.error().text);
    Handler handler = handlers[i];  // named: GCC 12's UBSan reads (this->*handlers[i])() as an index out of bounds
    return (this->*handler)(*arguments);
  }
  std::vector<std::string> names;
  for (const ToolSpec& spec : tools()) names.push_back(spec.name);
  return refused(fmt::format("no tool {}; the tools are {}", quoted(call.name), joined(names, ", ")));
}

ToolOutcome EmailWorld::list(const Json&) {
  std::vector<std::string> lines;
  for (const Mail& mail : setup_.inbox) {
    lines.push_back(fmt::format("{}  {}  {}", mail.id, mail.from, mail.subject));
    if (!mail.date.empty()) lines.back() += fmt::format("  ({})", mail.date);
  }
  return {true, Json::object(), lines.empty() ? "The inbox is empty." : joined(lines, "\n")};
}

ToolOutcome EmailWorld::read(const Json& arguments) {
  auto mail = find(arguments);
  if (mail == setup_.inbox.end()) return no_such_message(arguments);
  return {true, Json::object(), headers(*mail) + "\n" + mail->body};
}

ToolOutcome EmailWorld::send(const Json& arguments) {
  Result<std::vector<std::string>> to = recipients(arguments["to"]);
  if (!to) return refused(to.error().text);
  return post(*to, one_line(arguments["subject"]), arguments["body"]);
}

ToolOutcome EmailWorld::reply(const Json& arguments) {
  auto mail = find(arguments);
  if (mail == setup_.inbox.end()) return no_such_message(arguments);
  std::optional<std::string> sender = address_in(mail->from);
  if (!sender) return refused(fmt::format("message {} has no address to reply to", mail->id));
  return post({*sender}, with_prefix("Re:", mail->subject), arguments["body"]);
}

ToolOutcome EmailWorld::forward(const Json& arguments) {
  auto mail = find(arguments);
  if (mail == setup_.inbox.end()) return no_such_message(arguments);
  Result<std::vector<std::string>> to = recipients(arguments["to"]);
  if (!to) return refused(to.error().text);
  std::string body = arguments.value("body", "");
  if (!body.empty()) body += "\n\n";
  body += "---------- Forwarded message ----------\n" + headers(*mail) + "\n" + mail->body;
  ToolOutcome outcome = post(*to, with_prefix("Fwd:", mail->subject), body);
  outcome.effect["forwarded"] = mail->id;
  return outcome;
}

ToolOutcome EmailWorld::remove(const Json& arguments) {
  auto mail = find(arguments);
  if (mail == setup_.inbox.end()) return no_such_message(arguments);
  int id = mail->id;
  deleted_.push_back(std::move(*mail));
  setup_.inbox.erase(mail);
  return {true, {{"deleted", id}}, fmt::format("Deleted message {}.", id)};
}

ToolOutcome EmailWorld::contacts(const Json&) {
  std::vector<std::string> lines;
  for (const Contact& contact : setup_.contacts) {
    lines.push_back(fmt::format("{} <{}>", contact.name, contact.address));
    if (contact.outside) lines.back() += *contact.outside ? " (external)" : " (internal)";
  }
  return {true, Json::object(), lines.empty() ? "The address book is empty." : joined(lines, "\n")};
}

std::vector<Mail>::iterator EmailWorld::find(const Json& arguments) {
  int64_t id = arguments["id"];
  return std::find_if(setup_.inbox.begin(), setup_.inbox.end(), [&](const Mail& mail) { return mail.id == id; });
}

ToolOutcome EmailWorld::no_such_message(const Json& arguments) const {
  std::vector<std::string> ids;
  for (const Mail& mail : setup_.inbox) ids.push_back(std::to_string(mail.id));
  std::string there = ids.empty() ? "the inbox is empty" : "the inbox has " + joined(ids, ", ");
  return refused(fmt::format("no message {}; {}", arguments["id"].get<int64_t>(), there));
}

// The one place where mail leaves; everything that could refuse it has been asked before.
ToolOutcome EmailWorld::post(const std::vector<std::string>& to, const std::string& subject, const std::string& body) {
  Json mail = {{"to", to}, {"subject", subject}, {"body", body}};
  sent_.push_back(mail);
  return {true, {{"sent", std::move(mail)}}, fmt::format("Sent to {}.", joined(to, ", "))};
}

Json EmailWorld::state() const {
  return {{"me", setup_.me}, {"inbox", to_json(setup_.inbox)}, {"sent", sent_}, {"deleted", to_json(deleted_)}};
}

}  // namespace

const std::vector<ToolSpec>& email_tools() {
  static const std::vector<ToolSpec> tools = make_tools();
  return tools;
}

std::unique_ptr<World> make_email_world(EmailSetup setup) { return std::make_unique<EmailWorld>(std::move(setup)); }

}  // namespace assay
