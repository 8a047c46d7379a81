// SPDX-License-Identifier: PostgreSQL
#include "database_connection.hpp"

namespace crm_bridge::worker {

// libpqxx throws the commonest refusals as types of their own, and then without their code.
std::string sqlstate_of(const pqxx::sql_error &fault) {
  if (!fault.sqlstate().empty()) return fault.sqlstate();
  if (dynamic_cast<const pqxx::insufficient_privilege *>(&fault) != nullptr) return "42501";
  if (dynamic_cast<const pqxx::undefined_function *>(&fault) != nullptr) return "42883";
  if (dynamic_cast<const pqxx::undefined_table *>(&fault) != nullptr) return "42P01";
  if (dynamic_cast<const pqxx::undefined_column *>(&fault) != nullptr) return "42703";
  if (dynamic_cast<const pqxx::syntax_error *>(&fault) != nullptr) return "42601";
  if (dynamic_cast<const pqxx::unique_violation *>(&fault) != nullptr) return "23505";
  if (dynamic_cast<const pqxx::integrity_constraint_violation *>(&fault) != nullptr) return "23000";
  if (dynamic_cast<const pqxx::insufficient_resources *>(&fault) != nullptr) return "53000";
  if (dynamic_cast<const pqxx::plpgsql_error *>(&fault) != nullptr) return "P0001";
  if (dynamic_cast<const pqxx::data_exception *>(&fault) != nullptr) return "22000";
  return "XX000";
}

}  // namespace crm_bridge::worker
