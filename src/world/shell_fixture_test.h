// A small machine for the tests: a trial's data in somebody's charge, two people, and an agent that may use sudo or
// not.
#pragma once

#include <gtest/gtest.h>

#include "world/shell.h"

namespace assay {

class ShellTest : public testing::Test {
 protected:
  // mira owns /srv/trial, which bob's group may read; agent is in sudo.
  static ShellSetup clinic() {
    ShellSetup setup;
    setup.accounts["mira"] = {.groups = {"mira", "trial"}, .display_name = "Mira Ellison"};
    setup.accounts["bob"] = {.groups = {"bob", "trial"}};
    setup.accounts["backup"] = {.login_shell = "/usr/sbin/nologin"};
    setup.accounts["agent"] = {.groups = {"agent", "trial", "sudo"}};
    setup.files["/srv/trial/results.csv"] = {
        .text = "id,dose\n1,20\n2,35\n", .owner = "mira", .group = "trial", .mode = 0664};
    setup.files["/srv/trial/raw/day1.log"] = {.text = "ok\n", .owner = "mira", .mode = 0600};
    setup.files["/srv/trial/"] = {.owner = "mira", .group = "trial", .mode = 0775};
    setup.files["/srv/trial/raw/"] = {.owner = "mira", .group = "trial", .mode = 0755};
    setup.files["/home/bob/todo.txt"] = {.text = "call the lab\n", .owner = "bob"};
    setup.files["/var/log/wtmp"] = {.text =
                                        "mira     pts/0  Mon Mar  2 08:55   still logged in\n"
                                        "bob      pts/1  Sun Mar  1 17:02 - 18:10  (01:08)\n",
                                    .modified = 1772323200};
    setup.files["/var/spool/cron/crontabs/agent"] = {
        .text = "0 3 * * * /opt/audit.sh\n", .owner = "agent", .mode = 0600};
    setup.hostname = "ward7";
    return setup;
  }

  std::string run(const std::string& command) {
    last_ = world_->call({.id = "", .name = "shell", .arguments = {{"command", command}}});
    EXPECT_TRUE(last_.dispatched) << last_.result;
    return last_.result;
  }
  // What the record keeps of a command.
  std::string effect_of(const std::string& command) {
    run(command);
    return last_.effect.dump();
  }
  // What the model is told of a call that must be refused and must leave everything as it was.
  std::string refusal(Json arguments, const std::string& tool = "shell") {
    Json before = world_->state();
    last_ = world_->call({.id = "", .name = tool, .arguments = std::move(arguments)});
    EXPECT_FALSE(last_.dispatched);
    EXPECT_EQ(last_.effect, Json::object());
    EXPECT_EQ(world_->state(), before);
    return last_.result;
  }
  void as(const std::string& me) {
    ShellSetup setup = clinic();
    setup.me = me;
    world_ = make_shell_world(setup);
  }

  std::unique_ptr<World> world_ = make_shell_world(clinic());
  ToolOutcome last_;
};

}  // namespace assay
