// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <optional>
#include <set>
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
  bool exists = true;
  int births = 1;
  Json fields;
  std::int64_t version = 0;  // seconds since the epoch, as services count
  std::array<int, field_count> author{ours, ours, ours, ours, ours, ours};
};

// What a reading saw; it may be told at once, late, twice or never.
struct Reading {
  std::string external_id;
  bool gone = false;
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
  bool there;              // on the service's own screen
  bool told = false;       // a reading that showed it was taken
  bool replaced = false;   // on the service's own screen, before any reading was taken
  bool withdrawn = false;  // the face had gone before it was written
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

enum class Operation : std::uint8_t { create, update, remove };

struct Request {
  Side side;
  Operation operation = Operation::update;
  std::string external_id;  // as handed out; of a creation that the service has done its new one
  bool in_doubt = false;
  bool missing = false;  // the service has no such record
  Json fields = Json::object();
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

// A conflict that B1 or D2 demands, or one that is on record.
struct Clash {
  bool of_link = false;
  Side side = Side::crm;  // of the field's name; of a link the CRM
  std::size_t field = 0;  // field_count: about the whole record, deleted on one side
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
  bool mortal;     // people and apps delete, too
  std::string on_delete = "unlink";          // what becomes of the twin (D2)
  std::array<bool, 2> questions{};           // a field's policy against the service is manual
  std::set<std::size_t> held_between_faces;  // fields whose policy is manual
  std::array<std::string, 2> id;
  std::array<Remote, 2> remote;
  std::array<Json, 2> face;              // the mirrors, as last looked at
  std::array<bool, 2> here{true, true};  // whether the mirrors have them
  bool linked = true;
  bool apart = false;                  // the link has a request: its faces are not merged yet
  std::vector<std::string> surprises;  // what the mirrors have and should not have, or the reverse
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
  // external_id: what a webhook named; empty: what the service has now.
  void read(Side side, std::size_t instant, const std::string &external_id = "");
  // What the reading told is taken: what B1 says of it, and who is known of now.
  void heard(Side side, const Reading &reading, const std::string &outcome);
  // The faces were looked at after a write; null: there is none.
  void looked_at(Json left, Json right, bool linked_now, bool apart_now);
  // The two faces are about to be merged by reconcile.
  void before_reconcile();

  Request &hand_out(Request request, std::int64_t version, int round, bool peaceful);
  void reach(Request &request);
  // What the database says of a confirmation: done, pending, late.
  void confirmed(Request &request, const std::string &outcome);
  void failed(Request &request);
  void lease_broken(const std::string &lease);

  // An app is about to write a face that has gone meanwhile.
  void withdraw(Side side, const Json &patch);
  // A person deletes the record on the service's screen.
  void delete_there(Side side);
  // An app has deleted a face; deferred: at REPEATABLE READ, where reconcile sees to its twin.
  void deleted_here(Side side, bool deferred);
  // The service is making, or has made, a record of ours that the bridge does not know yet.
  bool in_the_making(Side side) const;
  const std::string &known_id(Side side) const { return known_id_[index(side)]; }
  // A person decides a conflict about a field, with another value for the side or without.
  Json decides(Side side, std::size_t field);
  // What was decided against the service is due, also where the face keeps its value.
  void decided(Side side) { meddled_[index(side)] = true; }
  // How often a record was made and deleted at a service, and how often at most (B3, B9).
  int sent(Side side, Operation operation) const;
  int allowed(Side side, Operation operation) const;

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
  void heard_fields(Side side, const Reading &reading);
  void heard_gone(Side side, const std::string &outcome);
  void heard_of_deleted(Side side, const Reading &reading, const std::string &outcome);
  bool changed_here(Side side) const;
  void note_held();
  void end_link(Side gone, bool at_service);
  void reconcile_deletion();
  void reconcile_fields();
  void replace_unseen(Side side);
  void write(Request &request);  // its fields into the service's record
  void make(Request &request);
  bool erase(Request &request);

  int serial_ = 0;
  std::array<std::string, 2> known_id_;          // the bridge's word for the service's record
  std::array<bool, 2> known_there_{true, true};  // whether it thinks that there is one
  std::array<bool, 2> deferred_{};               // deleted, and reconcile is to tell the service
  std::array<bool, 2> meddled_{};                // changed here since it was sent
  bool held_ = false;                            // a field of the link waits for a decision
  std::array<int, field_count> decisions_{};
  std::array<int, 2> revivals_{}, departures_{};
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
