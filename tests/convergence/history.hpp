// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fields.hpp"

// One history: two faces of a task, the two services that have it, what people do to them, and what
// the network makes of it.  It knows what the bridge was told and what it was shown, and says from
// that alone what must have come of it.
namespace crm_bridge::convergence {

// The author of a value: a typed one by its position, or the bridge, by its request's position.
constexpr int ours = -1;
constexpr int by_request(std::size_t position) { return -2 - static_cast<int>(position); }
constexpr bool is_persons(int author) { return author >= 0; }

// The record as its service has it.
struct Remote {
  std::string external_id;
  Json fields;
  std::int64_t version = 0;  // seconds since the epoch, as services count
  std::array<int, field_count> author{ours, ours, ours, ours, ours, ours};
};

// What a reading saw; it may be told at once, late, twice or never.
struct Reading {
  Json fields;
  std::int64_t version = 0;
  std::array<int, field_count> author{};
  std::size_t taken_at = 0;  // which of the wave's instants
  bool newest_wins = false;  // the person's clock is far ahead or far behind
};

// A value that a person entered.
struct Typed {
  Side side;
  std::size_t field;
  Json value;
  bool there;             // on the service's own screen
  bool told = false;      // a reading that showed it was taken
  bool replaced = false;  // on the service's own screen, before any reading was taken
};

enum class Fate : std::uint8_t {
  released,        // handed out, not sent
  done,            // done and confirmed
  told_later,      // done at once, confirmed later
  done_later,      // done later, then confirmed
  unavailable,     // refused for the moment (503)
  answer_lost,     // done, and nobody knows
  request_lost,    // not done, and nobody knows
  done_very_late,  // given up, and done after all
};

struct Request {
  Side side;
  Json fields;
  std::optional<std::int64_t> unless_after;  // a conditional write
  std::string lease;
  Fate fate = Fate::done;
  int effect_at = 0;
  int told_at = 0;
  bool reached = false;  // the service has done it, or refused it
  bool refused = false;  // the condition did not hold
  bool late = false;     // a newer one had been handed out when the service did it
  bool mixed =
      false;  // nobody knew, and a reading showed a part of it beside what others wrote since
  bool told = false;
  bool confirmed = false;
  bool idle = false;         // it says what the bridge knows that the service has
  std::int64_t version = 0;  // what the service answers
};

// A conflict that B1 demands, or one that is on record.
struct Clash {
  bool of_link = false;
  Side side = Side::crm;  // of the field's name; of a link the CRM
  std::size_t field = 0;
  Json left, right;
  auto operator<=>(const Clash &) const = default;
};

class History {
 public:
  History(std::uint64_t seed, int number);

  int number;
  Random random;   // what people do; drawn anew each round, so that a round can be left out
  Random network;  // what becomes of requests and readings
  bool calm;       // no answer is ever lost: then every conflict is foretold exactly
  std::array<std::string, 2> id;
  std::array<Remote, 2> remote;
  std::array<Json, 2> face;  // the mirrors, as last looked at
  bool apart = false;        // the link has a request: its faces are not merged yet
  std::vector<Typed> typed;
  std::vector<Request> requests;
  std::array<std::vector<Reading>, 2> readings;   // all that were ever taken
  std::array<std::vector<std::size_t>, 2> queue;  // to be told, by position in `readings`
  std::array<bool, 2> read_again{};
  std::vector<std::string> log;
  std::vector<Clash> foretold;
  bool at_rest = false;   // from then on only surprises are logged
  bool doubtful = false;  // something may have arrived and nobody knows

  void begin_round(std::uint64_t seed, int round);
  // Both services have the task as the bridge knows it.
  void in_step();

  // A person writes a face in the database; the patch is for an UPDATE.  `fields`: how many.
  Json type_here(Side side);
  // A person edits the record on the service's screen.
  void type_there(Side side);
  void read(Side side, std::size_t instant);
  // What the reading told is taken: what B1 says of it, and who is known of now.
  void heard(Side side, const Reading &reading, const std::string &outcome);
  // The faces were looked at after a write.
  void looked_at(Json left, Json right, bool apart_now);
  // The two faces are about to be merged by reconcile.
  void before_reconcile();

  Request &hand_out(Side side, Json fields, std::int64_t version, const std::string &lease,
                    int round, bool peaceful);
  void reach(Request &request);
  // What the database says of a confirmation: done, pending, late.
  void confirmed(Request &request, const std::string &outcome);
  void failed(Request &request);
  void lease_broken(const std::string &lease);

  // How often a field was sent to a side at most, if nothing is sent but what somebody entered
  // (B9).
  int allowed(Side side, std::size_t field) const;
  int sent(Side side, std::size_t field) const { return sent_[index(side)][field]; }
  int genuine_edits() const;
  int conflicts_of(Side side, std::size_t field) const;
  // Whether a write of ours came back so late, or in parts, that the value looks like a person's
  // (decision 9).
  bool looked_like_a_persons(Side side, std::size_t field, const Json &value) const;

  std::map<Clash, int> recorded;  // filled by the verdict

 private:
  int enter(Side side, std::size_t field, Json value, bool there);
  // Whether a write of ours that nobody has confirmed says the same.
  bool in_doubt(Side side, std::size_t field, const Json &value) const;

  int serial_ = 0;
  std::array<Json, 2> known_;    // what the bridge knows of the service: the base of the merge
  std::array<Json, 2> decided_;  // of those, what a reading that came meanwhile has decided on
  std::array<std::int64_t, 2> heard_of_{};  // the newest version that a reading showed
  std::array<Json, 2> in_flight_;           // sent and not settled
  std::array<Json, 2> base_;                // of fields that have moved since the faces were apart
  std::array<std::array<int, field_count>, 2> sent_{};
  // Told of another value while one of ours was under way: which of them is the last nobody knows.
  std::array<std::array<int, field_count>, 2> overlaps_{};
};

}  // namespace crm_bridge::convergence
