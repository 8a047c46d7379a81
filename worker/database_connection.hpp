// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <pqxx/pqxx>
#include <set>
#include <string>
#include <utility>

#include "database.hpp"

// What Database is made of; nothing else includes this, so that nothing else knows libpqxx.
namespace crm_bridge::worker {

class Doorbell : public pqxx::notification_receiver {
 public:
  explicit Doorbell(pqxx::connection_base &connection)
      : pqxx::notification_receiver(connection, "crm_bridge") {}
  void operator()(const std::string &payload, int) override { topics.insert(payload); }
  std::set<std::string> topics;
};

std::string sqlstate_of(const pqxx::sql_error &fault);

// Runs `work` and turns what libpqxx throws into the two errors that callers tell apart.
template <typename Work>
auto translated(const pqxx::connection_base &link, Work work) {
  try {
    return work();
  } catch (const pqxx::broken_connection &fault) {
    throw ConnectionLost(fault.what());
  } catch (const pqxx::in_doubt_error &fault) {
    throw ConnectionLost(fault.what());
  } catch (const pqxx::deadlock_detected &fault) {
    throw SqlError(fault.what(), "40P01");
  } catch (const pqxx::transaction_rollback &fault) {
    throw SqlError(fault.what(), "40001");
  } catch (const pqxx::sql_error &fault) {
    const std::string state = sqlstate_of(fault);
    if (!link.is_open() || state.starts_with("08") || state.starts_with("57P"))
      throw ConnectionLost(fault.what());
    throw SqlError(fault.what(), state);
  } catch (const pqxx::failure &fault) {
    throw ConnectionLost(fault.what());
  }
}

struct Database::Connection {
  explicit Connection(const std::string &conninfo) : link(conninfo) {
    // A connection that comes back by itself would have lost its LISTEN.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    link.inhibit_reactivation(true);
#pragma GCC diagnostic pop
  }

  // Statements are constants, prepared once a connection and recognised by their address.
  template <typename... Arguments>
  pqxx::result query(const char *statement, const Arguments &...arguments) {
    return translated(link, [&] {
      auto &name = prepared[statement];
      if (name.empty()) {
        const std::string fresh = "statement_" + std::to_string(prepared.size());
        link.prepare(fresh, statement);
        name = fresh;
      }
      pqxx::nontransaction transaction(link);
      return transaction.exec_prepared(name, arguments...);
    });
  }

  // The server plans once a session, perhaps while a table is empty: such a plan reads all of it
  // for each record of ours, until somebody analyzes it.  What has grown by some factor is planned
  // anew.
  void handled(std::size_t records) {
    records_ += records;
    if (records_ < plan_again_at_) return;
    plan_again_at_ = 4 * records_;
    query("DISCARD PLANS");
  }

  pqxx::connection link;
  std::map<const char *, std::string> prepared;
  std::optional<Doorbell> doorbell;

 private:
  static constexpr std::size_t first_plans_last = 64;
  std::size_t records_ = 0;
  std::size_t plan_again_at_ = first_plans_last;
};

}  // namespace crm_bridge::worker
