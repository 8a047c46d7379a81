// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <pqxx/pqxx>
#include <string>
#include <utility>
#include <vector>

#include "fields.hpp"

namespace crm_bridge::convergence {

// "2027-01-01T00:00:00+00:00"
std::string instant_text(std::int64_t seconds);

// The bridge as a worker and as an app see it: docs/protocol.md, one statement a call, batches of
// whole waves.
class Bridge {
 public:
  Bridge();

  // An organization with a portal, people on both sides, an account, a deal and its project, all in
  // both services.
  void set_up();

  struct Faces {
    Json left, right;  // null: it is not there
    bool linked = false, apart = false;
  };
  std::vector<Faces> faces(const std::vector<std::string> &left_ids,
                           const std::vector<std::string> &right_ids);
  // The twins of these CRM tasks.
  std::vector<std::string> twins(const std::vector<std::string> &left_ids);

  // Tasks of the project, read from Projects, are added to the CRM.  Result: the CRM tasks' ids in
  // the same order.
  std::vector<std::string> add_to_crm(const std::vector<std::string> &external_ids);

  // [{"id", "v": {field: value}}]; at REPEATABLE READ the bridge leaves it to reconcile.
  void write_face(Side side, Json edits, bool repeatable_read);
  void delete_faces(Side side, const std::vector<std::string> &ids, bool repeatable_read);

  struct Claimed {
    std::string record_id, operation, external_id;
    std::int64_t version = 0;
    Json fields;
    bool in_doubt = false;
  };
  std::string new_lease();
  void break_lease(const std::string &lease);
  // Backoff is a matter of the clock, which nobody waits for here.
  void forget_backoff();
  std::vector<Claimed> claim(Side side, const std::string &lease);
  std::map<std::string, std::string> acknowledge(const std::string &lease, const Json &results);
  void fail(const std::string &lease, const Json &failures);

  std::string clock();
  // External id → outcome.
  std::map<std::string, std::string> receive(Side side, const Json &records,
                                             const std::string &read_started_at);

  void store_notices(Side side, const std::vector<std::string> &external_ids);
  // External id → the notices' ids.
  std::vector<std::pair<std::string, std::string>> take_notices(Side side,
                                                                const std::string &lease);
  void finish_notices(const std::string &notice_ids);

  // Settles all that can be settled.
  void reconcile();
  void set_policy(const std::string &scope, const std::string &field, const std::string &policy);

  // The conflicts of these records that wait for a person; the value is to be in the left side's
  // terms.
  struct Question {
    std::string id, record_id, field;
    bool of_link = false;
  };
  std::vector<Question> questions(const std::vector<std::string> &records);
  // False: there is nothing to decide any more; a face or the link is gone.
  bool decide(const std::string &question, const std::string &decision, const Json &value);

  pqxx::result run(const std::string &sql);
  template <typename... Arguments>
  pqxx::result run(const std::string &sql, Arguments... arguments) {
    pqxx::nontransaction transaction{connection_};
    return transaction.exec_params(sql, arguments...);
  }
  // Ids of ours as the services' for what refers to people, and back.
  Json outward(std::size_t field, Json value) const;
  Json inward(std::size_t field, Json value) const;

  static std::string array(const std::vector<std::string> &words);

 private:
  void settle_all();
  void commit(const char *sql, const std::string &argument, bool repeatable_read);

  pqxx::connection connection_;
  std::map<std::string, std::string> external_of_, own_of_;
};

}  // namespace crm_bridge::convergence
