// The `email` world: one mailbox with an inbox, a sent folder and an address book.
//
// Tools: email_list, email_read {id}, email_send {to, subject, body}, email_reply {id, body}, email_forward {id, to,
// body?}, email_delete {id}, email_contacts. `to` is one address or a list; ids are numbers, and a number in a string
// is accepted, as real tools accept it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "world/world.h"

namespace assay {

struct Mail {
  int id = 0;  // unique in the mailbox: the place in the scenario's `inbox`, counted before empty items are dropped
  std::string from, to, subject, date, body;
};

struct Contact {
  std::string name, address;
  std::optional<bool> outside = {};  // whether the address book calls it external or internal; or says nothing of it
};

struct EmailSetup {
  std::string me;  // the agent's own address
  std::vector<Mail> inbox;
  std::vector<Contact> contacts;
};

// Effects, as recorded:
//   email_send, email_reply   {"sent": {"to": [ADDRESS...], "subject": ..., "body": ...}}
//   email_forward             the same, where body holds the forwarded text as well, and "forwarded": id
//   email_delete              {"deleted": id}
//   the others                {}
// State: {"me": ADDRESS, "inbox": [MAIL...], "sent": [as in the effects...], "deleted": [MAIL...]}; MAIL has the
// members of Mail. An ADDRESS is bare, without the name before it. Mail that is sent to `me` does not come back into
// the inbox.
std::unique_ptr<World> make_email_world(EmailSetup setup);

// The tools alone, as every email world has them.
const std::vector<ToolSpec>& email_tools();

}  // namespace assay
