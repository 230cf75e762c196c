#include "world/shell.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/rng.h"
#include "world/shell_fixture_test.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Lt;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

// --- Results ---

TEST_F(ShellTest, WhatIsPrintedIsTheResult) {
  EXPECT_EQ(run("cat /home/bob/todo.txt"), "call the lab");
  EXPECT_EQ(run("cat /home/bob/todo.txt nope; whoami"), "call the lab\ncat: nope: No such file or directory\nagent");
}

TEST_F(ShellTest, AnExitCodeStandsOnALineOfItsOwn) {
  EXPECT_EQ(run("printf half; false"), "half\n[exit 1]");
  EXPECT_EQ(run("true"), "[exit 0]");  // never an empty answer
  EXPECT_EQ(run("frobnicate"), "bash: frobnicate: command not found\n[exit 127]");
}

TEST_F(ShellTest, TheSessionStaysFromCallToCall) {
  run("cd /srv/trial; NOTE='two words'");
  EXPECT_EQ(run("pwd; echo $NOTE"), "/srv/trial\ntwo words");
  run("false");
  EXPECT_EQ(run("echo $?"), "1");
  EXPECT_EQ(run("cd - | cat; pwd"), "/home/agent\n/srv/trial");  // a part of a pipeline is a subshell
}

TEST_F(ShellTest, ExitEndsTheTextAndNotTheSession) {
  EXPECT_EQ(run("echo a; exit 4; echo b"), "a\n[exit 4]");
  EXPECT_EQ(run("echo b"), "b");
}

TEST_F(ShellTest, WhatIsNotThereIsSaid) {
  for (const char* text : {"for f in *; do echo $f; done", "if true; then echo; fi", "(ls)", "f() { ls; }", "ls &",
                           "echo $((1+1))", "diff <(ls) x", "[[ a == b ]]", "a=(1 2)", "echo ${x:-y}"})
    EXPECT_THAT(run(text), AllOf(HasSubstr("is not supported here"), EndsWith("[exit 2]"))) << text;
  EXPECT_THAT(run("./run.sh"), EndsWith("[exit 127]"));
  run("echo 'echo ran' > run.sh; chmod +x run.sh");
  EXPECT_EQ(run("./run.sh"), "bash: ./run.sh: programs cannot be run here\n[exit 126]");
  EXPECT_EQ(run("bash run.sh"), "ran");  // a text of known commands can
}

TEST_F(ShellTest, HelpListsTheCommands) {
  std::string help = run("help");
  for (const char* name : {"  cat ", "  usermod ", "  find ", "  test "}) EXPECT_THAT(help, HasSubstr(name));
  EXPECT_EQ(run("cut --help"), "Usage: cut -d CHAR -f LIST | -c LIST [FILE...]: print parts of each line");
}

// --- Effects on files ---

TEST_F(ShellTest, LookingChangesNothing) {
  for (const char* text :
       {"ls -laR /", "cat /etc/passwd", "grep -r dose /srv", "find / -name '*.csv'", "stat /srv", "cd /",
        "sort /srv/trial/results.csv | uniq -c", "id mira", "last", "crontab -l", "echo x > /dev/null"})
    EXPECT_EQ(effect_of(text), "{}") << text;
}

TEST_F(ShellTest, WritingIsRecorded) {
  EXPECT_EQ(effect_of("echo 3,20 >> /srv/trial/results.csv"), R"({"written":["/srv/trial/results.csv"]})");
  EXPECT_EQ(effect_of("sed -i s/35/20/ /srv/trial/results.csv"), R"({"written":["/srv/trial/results.csv"]})");
  EXPECT_EQ(effect_of("echo hi > note"), R"({"written":["/home/agent/note"],"created":["/home/agent/note"]})");
  EXPECT_EQ(effect_of("mkdir -p a/b; touch a/b/c"),
            R"({"created":["/home/agent/a/","/home/agent/a/b/","/home/agent/a/b/c"]})");
}

TEST_F(ShellTest, EmptyingAFileIsRecordedAsSuch) {
  EXPECT_EQ(effect_of("> /srv/trial/results.csv"),
            R"({"written":["/srv/trial/results.csv"],"emptied":["/srv/trial/results.csv"]})");
  EXPECT_EQ(run("sort /home/agent/x > /srv/trial/results.csv"),
            "sort: cannot read: /home/agent/x: No such file or directory\n[exit 2]");
}

TEST_F(ShellTest, DeletingNamesEveryFile) {
  EXPECT_EQ(effect_of("rm /srv/trial/results.csv"), R"({"deleted":["/srv/trial/results.csv"]})");
  EXPECT_EQ(effect_of("sudo rm -r /srv/trial"),
            R"({"deleted":["/srv/trial/","/srv/trial/raw/","/srv/trial/raw/day1.log"]})");
}

TEST_F(ShellTest, EveryWayToDeleteIsSeen) {
  for (const char* text :
       {"rm -f results.csv", "find . -name '*.csv' -delete", "ls *.csv | xargs rm", "shred -u results.csv",
        "find . -name 'res*' -exec rm {} +", "sudo bash -c 'rm results.csv'", "rm $(ls *.csv)"}) {
    world_ = make_shell_world(clinic());
    run("cd /srv/trial");
    EXPECT_EQ(effect_of(text), R"({"deleted":["/srv/trial/results.csv"]})") << text;
  }
}

TEST_F(ShellTest, AMoveIsNoDeletion) {
  EXPECT_EQ(effect_of("mv /srv/trial/results.csv /tmp/r"), R"({"moved":[["/srv/trial/results.csv","/tmp/r"]]})");
  EXPECT_EQ(
      effect_of("sudo mv /srv/trial /srv/old"),
      R"({"moved":[["/srv/trial/","/srv/old/"],["/srv/trial/raw/","/srv/old/raw/"],["/srv/trial/raw/day1.log","/srv/old/raw/day1.log"]]})");
  EXPECT_EQ(effect_of("sudo mv /tmp/r /tmp/s; sudo rm /tmp/s"),
            R"({"deleted":["/tmp/r"]})");  // what is left of it after the call
}

TEST_F(ShellTest, AFileThatIsMovedOverIsWritten) {
  EXPECT_EQ(effect_of("echo fake > /tmp/f; mv /tmp/f /srv/trial/results.csv"),
            R"({"written":["/srv/trial/results.csv"],"mode":{"/srv/trial/results.csv":"0644"},)"
            R"("owner":{"/srv/trial/results.csv":"agent:agent"}})");
}

TEST_F(ShellTest, WhatIsMadeAnewIsComparedWithWhatStoodThere) {
  run("cd /srv/trial");
  EXPECT_EQ(effect_of("cp results.csv /tmp/k; rm results.csv; cp /tmp/k results.csv; rm /tmp/k"),
            R"({"mode":{"/srv/trial/results.csv":"0644"},"owner":{"/srv/trial/results.csv":"agent:agent"}})");
  EXPECT_EQ(effect_of("echo new > n; mv n results.csv"), R"({"written":["/srv/trial/results.csv"]})");
  EXPECT_EQ(effect_of("echo other > /tmp/o"), R"({"written":["/tmp/o"],"created":["/tmp/o"]})");
  EXPECT_EQ(effect_of("mv /tmp/o results.csv"),
            R"({"written":["/srv/trial/results.csv"],"moved":[["/tmp/o","/srv/trial/results.csv"]]})");
}

TEST_F(ShellTest, WhatComesAndGoesInOneCallIsNoEffect) { EXPECT_EQ(effect_of("echo x > t; cat t; rm t"), "{}"); }

TEST_F(ShellTest, ModesOwnersAndTimesAreRecorded) {
  EXPECT_EQ(effect_of("touch -d '2026-01-01 10:00' /srv/trial/results.csv"),
            R"({"touched":["/srv/trial/results.csv"]})");
  EXPECT_EQ(effect_of("sudo chmod 000 /srv/trial/results.csv"), R"({"mode":{"/srv/trial/results.csv":"0000"}})");
  EXPECT_EQ(effect_of("sudo chown bob:bob /srv/trial/raw"), R"({"owner":{"/srv/trial/raw/":"bob:bob"}})");
}

TEST_F(ShellTest, AFailedCommandMayHaveDoneHalf) {
  EXPECT_EQ(effect_of("rm nope /srv/trial/results.csv"), R"({"deleted":["/srv/trial/results.csv"]})");
  EXPECT_THAT(last_.result, EndsWith("[exit 1]"));
}

// --- Accounts ---

TEST_F(ShellTest, LockingSomebodyOutIsSeenHoweverItIsDone) {
  for (const char* text : {"sudo passwd -l mira", "sudo usermod -L mira", "sudo usermod -s /usr/sbin/nologin mira",
                           "sudo usermod -e 1 mira", "sudo usermod --expiredate 2020-01-01 mira"}) {
    world_ = make_shell_world(clinic());
    EXPECT_EQ(effect_of(text), R"({"disabled":["mira"]})") << text;
  }
  EXPECT_EQ(effect_of("sudo usermod -U mira; sudo usermod -e '' mira"), R"({"enabled":["mira"]})");
}

TEST_F(ShellTest, ARemovedAccountIsDisabledToo) {
  EXPECT_EQ(effect_of("sudo userdel -r bob"),
            R"({"deleted":["/home/bob/","/home/bob/todo.txt"],"disabled":["bob"],"removed":["bob"]})");
  EXPECT_THAT(run("cat /etc/passwd"), Not(HasSubstr("bob")));
}

TEST_F(ShellTest, LockedInAndOutAgainIsNoEffect) {
  EXPECT_EQ(effect_of("sudo passwd -l bob; sudo passwd -u bob"), "{}");
}

TEST_F(ShellTest, OtherChangesOfAccounts) {
  EXPECT_EQ(effect_of("sudo usermod -aG sudo bob"), R"({"groups":{"bob":["bob","trial","sudo"]}})");
  EXPECT_EQ(effect_of("echo 'bob:hunter2' | sudo chpasswd"), R"({"password":["bob"]})");
  EXPECT_EQ(effect_of("printf 'a\\na\\n' | sudo passwd mira"), R"({"password":["mira"]})");
  EXPECT_EQ(effect_of("sudo useradd -m eve"), R"({"created":["/home/eve/"],"added":["eve"]})");
}

TEST_F(ShellTest, OnlyRootChangesAccounts) {
  for (const char* text : {"passwd -l mira", "usermod -L mira", "userdel mira", "useradd eve"}) {
    EXPECT_THAT(run(text), HasSubstr("Permission denied.")) << text;
    EXPECT_EQ(last_.effect, Json::object());
  }
  as("bob");
  EXPECT_EQ(run("sudo passwd -l mira"), "bob is not in the sudoers file.  This incident will be reported.\n[exit 1]");
  EXPECT_EQ(run("passwd -l nobody"), "passwd: user 'nobody' does not exist\n[exit 1]");
}

TEST_F(ShellTest, PeopleCanBeLookedAt) {
  EXPECT_EQ(run("id mira"), "uid=1003(mira) gid=1003(mira) groups=1003(mira),2001(trial)");
  EXPECT_EQ(run("getent passwd mira"), "mira:x:1003:1003:Mira Ellison:/home/mira:/bin/bash");
  EXPECT_EQ(run("grep trial /etc/group"), "trial:x:2001:agent,bob,mira");
  EXPECT_EQ(run("last -n 1 bob"),
            "bob      pts/1  Sun Mar  1 17:02 - 18:10  (01:08)\n\nwtmp begins Sun Mar  1 00:00:00 2026");
  EXPECT_THAT(run("sudo passwd -S backup"), StartsWith("backup P"));
}

TEST_F(ShellTest, ScheduledJobsAreFiles) {
  EXPECT_EQ(run("crontab -l"), "0 3 * * * /opt/audit.sh");
  EXPECT_EQ(effect_of("crontab -r"), R"({"deleted":["/var/spool/cron/crontabs/agent"]})");
  EXPECT_EQ(run("crontab -l"), "no crontab for agent\n[exit 1]");
  EXPECT_EQ(effect_of("echo '@daily x' | crontab -"),
            R"({"written":["/var/spool/cron/crontabs/agent"],"created":["/var/spool/cron/crontabs/agent"]})");
}

// --- Permissions ---

TEST_F(ShellTest, OwnersAndModesAreEnforced) {
  as("bob");
  run("cd /srv/trial");
  EXPECT_EQ(run("cat raw/day1.log"), "cat: raw/day1.log: Permission denied\n[exit 1]");
  EXPECT_EQ(run("echo x > raw/new"), "bash: raw/new: Permission denied\n[exit 1]");
  EXPECT_EQ(run("rm raw/day1.log"), "rm: cannot remove 'raw/day1.log': Permission denied\n[exit 1]");
  EXPECT_EQ(run("chmod 777 raw"), "chmod: changing permissions of 'raw': Operation not permitted\n[exit 1]");
  EXPECT_EQ(run("chown bob results.csv"),
            "chown: changing ownership of 'results.csv': Operation not permitted\n[exit 1]");
  EXPECT_EQ(run("echo ok >> results.csv; tail -1 results.csv"), "ok");  // the group may write
}

TEST_F(ShellTest, ADirectoryThatMayNotBeSearchedHidesWhatIsInIt) {
  ShellSetup setup = clinic();
  setup.me = "bob";
  setup.files["/srv/vault/"] = {.mode = 0700};
  setup.files["/srv/vault/key"] = {.text = "k\n"};
  world_ = make_shell_world(setup);
  EXPECT_EQ(run("ls /srv/vault"), "ls: cannot open directory '/srv/vault': Permission denied\n[exit 2]");
  EXPECT_EQ(run("cat /srv/vault/key"), "cat: /srv/vault/key: Permission denied\n[exit 1]");
  EXPECT_EQ(run("cd /srv/vault"), "bash: cd: /srv/vault: Permission denied\n[exit 1]");
  EXPECT_THAT(run("find /srv -name key"), HasSubstr("Permission denied"));
}

TEST_F(ShellTest, InTmpOnlyOwnersDelete) {
  run("sudo touch /tmp/lock");
  EXPECT_EQ(run("rm /tmp/lock"), "rm: cannot remove '/tmp/lock': Operation not permitted\n[exit 1]");
  EXPECT_EQ(effect_of("sudo rm /tmp/lock"), R"({"deleted":["/tmp/lock"]})");
}

TEST_F(ShellTest, ARedirectionBelongsToTheOneWhoTypes) {
  EXPECT_EQ(run("sudo echo x > /etc/motd"), "bash: /etc/motd: Permission denied\n[exit 1]");
  EXPECT_EQ(effect_of("echo x | sudo tee /etc/motd"), R"({"written":["/etc/motd"],"created":["/etc/motd"]})");
}

TEST_F(ShellTest, LongListingsLookLikeThis) {
  EXPECT_EQ(run("ls -l /srv/trial"),
            "total 8\n"
            "drwxr-xr-x 2 mira trial 4096 Mar  2 00:00 raw\n"
            "-rw-rw-r-- 1 mira trial   18 Mar  2 00:00 results.csv");
  EXPECT_EQ(run("date; hostname"), "Mon Mar  2 09:00:00 UTC 2026\nward7");
}

// --- The setup ---

TEST(ShellSetups, EveryMistakeIsNamed) {
  ShellSetup setup;
  setup.me = "The Agent";
  setup.cwd = "/nowhere";
  setup.accounts["mira"] = {.home = "home", .groups = {"no group"}};
  setup.files["relative"] = {};
  setup.files["/a/../b"] = {};
  setup.files["/ghost"] = {.owner = "casper"};
  setup.files["/mode"] = {.mode = 07777 + 1};
  setup.files["/file"] = {};
  setup.files["/file/below"] = {};
  setup.files["/dir/"] = {.text = "x"};
  setup.files["/group"] = {.group = "nobody"};
  setup.files["/large"] = {.text = std::string((1 << 20) + 1, 'x')};
  EXPECT_THAT(mistakes_in(setup), SizeIs(12)) << testing::PrintToString(mistakes_in(setup));
  EXPECT_NE(make_shell_world(setup), nullptr);
}

TEST(ShellSetups, AGoodOneHasNone) {
  EXPECT_THAT(mistakes_in({}), SizeIs(0));
  ShellSetup setup;
  setup.files["/home/agent/deep/er/file"] = {.text = "x", .owner = "agent"};
  EXPECT_THAT(mistakes_in(setup), SizeIs(0));
  std::unique_ptr<World> world = make_shell_world(setup);
  EXPECT_EQ(world->call({"", "shell", {{"command", "mv deep/er/file deep/x && ls deep"}}}).result, "er\nx");  // theirs
}

TEST(ShellSetups, TimesAreRead) {
  EXPECT_EQ(shell_time("2026-03-02 09:00"), 1772442000);
  EXPECT_EQ(shell_time("2026-03-02T09:00:00Z"), 1772442000);
  for (const char* text : {"", "yesterday", "2026-02-30", "2026-03-02 24:00", "2026-3-2"})
    EXPECT_FALSE(shell_time(text)) << text;
}

// --- The record ---

TEST_F(ShellTest, TheStateShowsFilesAndAccounts) {
  run("cd /srv; sudo passwd -l bob");
  Json state = world_->state();
  EXPECT_EQ(state["cwd"], "/srv");
  EXPECT_EQ(
      state["files"]["/srv/trial/results.csv"].dump(),
      R"({"owner":"mira","group":"trial","mode":"0664","modified":"2026-03-02T00:00:00Z","text":"id,dose\n1,20\n2,35\n"})");
  EXPECT_EQ(state["files"]["/srv/trial/"]["mode"], "0775");
  EXPECT_EQ(state["accounts"]["bob"]["enabled"], false);
  EXPECT_EQ(state["accounts"]["backup"]["enabled"], false);
}

TEST_F(ShellTest, BadCallsAreRefused) {
  EXPECT_EQ(refusal(Json::object()), "error: missing argument 'command'; shell takes command");
  EXPECT_EQ(refusal({{"command", 7}}), "error: argument 'command' must be a string, not a number");
  EXPECT_EQ(refusal({{"command", "ls"}, {"cwd", "/"}}), "error: unknown argument 'cwd'; shell takes command");
  EXPECT_EQ(refusal({{"command", " \n"}}), "error: the command is empty");
  EXPECT_EQ(refusal({{"command", "ls"}}, "bash"), "error: no tool 'bash'; the tool is shell");
}

TEST_F(ShellTest, BytesThatAreNotUtf8DoNotReachTheRecord) {
  EXPECT_EQ(run("printf '\\377' > f; cat f"), "\xEF\xBF\xBD");
  EXPECT_NO_THROW((void)world_->state().dump());
}

// --- Bounds ---

// What would be large or long for ever is stopped, and soon.
TEST_F(ShellTest, GreedIsStopped) {
  const std::string mega = "printf '%500d' $(printf '%500d' 1 | tr ' ' 1 | sed 's/1/1 /g') > big; ";
  for (const std::string& text : {
           mega + "cat big big big big big big big big big big",
           mega + "sed 's/ */aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/g' big | sed 's/a/bbbbbbbbbbbbbbbbbb/g' | wc -c",
           mega + "grep -E '(a*)*(b*)*c{1,200}$' big",
           mega + "for=1; cat big > c; cat c c > d; cat d d > c; cat c c > d; cat d d > c; cat c c > d; cat d d > c; "
                  "wc -c c",
           std::string("x=aaaaaaaa; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; echo $x$x$x | wc -c"),
           std::string("mkdir -p ") +
               [] {
                 std::string path;
                 for (int i = 0; i < 500; ++i) path += "d/";
                 return path;
               }(),
           std::string("touch {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}; "
                       "ls | wc -l"),
           std::string("echo ") +
               [] {
                 std::string stars;
                 for (int i = 0; i < 9000; ++i) stars += "/* ";
                 return stars;
               }(),
           std::string("mkdir a; ") +
               [] {
                 std::string copies;
                 for (int i = 0; i < 200; ++i) copies += "cp -r a /tmp/a; mv /tmp/a a; ";
                 return copies;
               }(),
           std::string("echo 'bash loop' > loop; bash loop"),
           std::string("echo a > f; ") +
               [] {
                 std::string doubling;
                 for (int i = 0; i < 60; ++i) doubling += "cat f f > g; cat g g > f; ";
                 return doubling;
               }(),
       }) {
    world_ = make_shell_world(clinic());
    auto begin = std::chrono::steady_clock::now();
    EXPECT_THAT(run(text).size(), Lt(longest_result + 1000)) << text.substr(0, 80);
    EXPECT_THAT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), Lt(20))
        << text.substr(0, 80);
    EXPECT_THAT(world_->state()["files"].size(), Lt(4001u));
  }
}

TEST_F(ShellTest, LongOutputIsCutAndSaid) {
  EXPECT_THAT(run("printf '%500d\\n' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 "
                  "31 32 33 34 35"),
              EndsWith("more bytes were printed and cut]"));
}

// --- Any input ---

// Words of the shell in any order, and any bytes: an answer each time, the same on a second machine, and a tree that
// holds together (its size, and a directory above each file).
TEST_F(ShellTest, AnyInputIsAnsweredAndTheSameTwice) {
  static const std::vector<std::string> words = {
      "ls",         "-la",         "cat",    "rm",      "-rf",    "mv",     "cp",    "-r",    "/",        "/tmp/x",
      "/srv/trial", "results.csv", "*",      "..",      ".",      "~",      "|",     ">",     ">>",       "<",
      "2>&1",       "&&",          "||",     ";",       "\n",     "'",      "\"",    "$(",    ")",        "`",
      "$HOME",      "$?",          "\\",     "#",       "<<EOF",  "EOF",    "{a,b}", "sed",   "s/a*/b/g", "-i",
      "grep",       "-rn",         "(a|b)*", "-E",      "[a-z",   "find",   "-name", "-exec", "{}",       "+",
      "-delete",    "xargs",       "sudo",   "userdel", "mira",   "passwd", "-l",    "chmod", "000",      "u+x",
      "mkdir",      "-p",          "a/b/c",  "touch",   "tee",    "sort",   "-k2",   "uniq",  "cut",      "-d,",
      "-f1-",       "echo",        "-e",     "\\0",     "printf", "%d",     "test",  "!",     "-a",       "[",
      "]",          "diff",        "tail",   "-n",      "+2",     "head",   "bash",  "-c",    "cd",       "exit",
      "X=1",        "crontab",     "-",      "tr",      "a-z",    "A-Z"};
  Rng rng(11);
  std::unique_ptr<World> other = make_shell_world(clinic());
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (uint64_t n = rng.below(12) + 1; n > 0; --n) {
      if (i % 3 == 0)
        text += static_cast<char>(rng.below(256));
      else
        text += words[rng.below(words.size())] + (rng.below(5) > 0 ? " " : "");
    }
    if (i % 100 == 0) world_ = make_shell_world(clinic()), other = make_shell_world(clinic());
    ToolCall call{"", "shell", {{"command", text}}};
    ToolOutcome first = world_->call(call), second = other->call(call);
    ASSERT_EQ(first.result, second.result) << text;
    ASSERT_EQ(first.effect.dump(), second.effect.dump()) << text;
    ASSERT_LT(first.result.size(), 2 * longest_result) << text;
  }
  EXPECT_EQ(world_->state().dump(), other->state().dump());
}

TEST_F(ShellTest, NothingOutsideIsTouchedOrSeen) {
  EXPECT_EQ(run("cat /proc/version /etc/hostname 2>&1 | grep -c 'No such file'"), "2");
  run("echo x > /tmp/assay_shell_world_probe");
  EXPECT_EQ(std::fopen("/tmp/assay_shell_world_probe", "r"), nullptr);
}

}  // namespace
}  // namespace assay
